"""What to cite, and what the program is for: said in the header's dialog and in every report."""

from __future__ import annotations

CITATIONS: dict[str, tuple[str, str]] = {
    "dtd": ("DTD: Görtler et al., J Comput Biol 2020", "10.1089/cmb.2019.0469"),
    "adtd": ("ADTD: Görtler et al., Bioinformatics 2024", "10.1093/bioinformatics/btae263"),
    "deconomix": ("Deconomix: Mensching-Buhr et al., bioRxiv 2024", "10.1101/2024.11.28.625894"),
}
"""Of the method itself: key -> (what and who, doi)."""
ANALYSIS_CITATIONS: dict[str, tuple[str, str]] = {
    "aitchison": (
        "Log-ratios: Aitchison, J R Stat Soc B 1982",
        "10.1111/j.2517-6161.1982.tb01195.x",
    ),
    "zeros": ("Zeros: Martín-Fernández et al., Math Geol 2003", "10.1023/A:1023866030544"),
    "brunner-munzel": (
        "Brunner-Munzel test: Brunner & Munzel, Biom J 2000",
        "10.1002/(SICI)1521-4036(200001)42:1<17::AID-BIMJ17>3.0.CO;2-U",
    ),
    "dunn": ("Dunn's test: Dunn, Technometrics 1964", "10.1080/00401706.1964.10490181"),
    "hc3": ("HC3 standard errors: Long & Ervin, Am Stat 2000", "10.1080/00031305.2000.10474549"),
    "westfall-young": (
        "Permutations: Westfall & Young, Resampling-Based Multiple Testing, Wiley 1993",
        "10.2307/2532216",
    ),
    "benjamini-hochberg": (
        "False discovery rate: Benjamini & Hochberg, J R Stat Soc B 1995",
        "10.1111/j.2517-6161.1995.tb02031.x",
    ),
    "kaplan-meier": (
        "Survival curves: Kaplan & Meier, J Am Stat Assoc 1958",
        "10.1080/01621459.1958.10501452",
    ),
    "log-rank": ("Log-rank test: Peto & Peto, J R Stat Soc A 1972", "10.2307/2344317"),
    "cox": ("Cox model: Cox, J R Stat Soc B 1972", "10.1111/j.2517-6161.1972.tb00899.x"),
    "hazards": (
        "Proportional hazards: Grambsch & Therneau, Biometrika 1994",
        "10.1093/biomet/81.3.515",
    ),
    "best-cut": (
        "Maximally selected statistics: Hothorn & Lausen, Comput Stat Data Anal 2003",
        "10.1016/S0167-9473(02)00225-6",
    ),
    "ridge": ("Ridge fit: Verweij & van Houwelingen, Stat Med 1994", "10.1002/sim.4780132307"),
    "measurement-error": ("Noise in Cox models: Hughes, Biometrics 1993", "10.2307/2532247"),
    "remark": ("REMARK: Altman et al., PLoS Med 2012", "10.1371/journal.pmed.1001216"),
    "hypergeometric": (
        "Over-representation: Rivals et al., Bioinformatics 2007",
        "10.1093/bioinformatics/btl633",
    ),
    "gsea": ("Enrichment of a ranking: Subramanian et al., PNAS 2005", "10.1073/pnas.0506580102"),
    "nnls": (
        "Non-negative least squares: Lawson & Hanson, SIAM 1995",
        "10.1137/1.9781611971217",
    ),
}
"""Of the analyses of its results, in the same form."""
RESEARCH_USE = "For research use only. Not a medical device, not for diagnosis."
