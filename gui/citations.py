"""What to cite, and what the program is for: said in the header's dialog and in every report."""

from __future__ import annotations

CITATIONS: dict[str, tuple[str, str]] = {
    "dtd": ("DTD: Görtler et al., J Comput Biol 2020", "10.1089/cmb.2019.0469"),
    "adtd": ("ADTD: Görtler et al., Bioinformatics 2024", "10.1093/bioinformatics/btae263"),
    "deconomix": ("Deconomix: Mensching-Buhr et al., bioRxiv 2024", "10.1101/2024.11.28.625894"),
}
"""Key -> (what and who, doi)."""
RESEARCH_USE = "For research use only. Not a medical device, not for diagnosis."
