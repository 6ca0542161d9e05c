"""Names of columns as the tools that write tables of expression give them.

Compared without case, blanks and marks, where nothing else is said. Sources: the manuals and the
source code of featureCounts, HTSeq, STAR, RSEM, salmon, kallisto, StringTie, Cufflinks, tximport,
nf-core/rnaseq, GDC, cBioPortal, DESeq2, edgeR, limma, Seurat, sleuth, GenomeStudio, MAS5, BioMart.
"""

from __future__ import annotations

import re
from typing import Literal

Reason = Literal[
    "identifiers",
    "row numbers",
    "annotation of the genes",
    "places in the genome",
    "lengths of the genes",
    "results of a test",
    "detection p-values",
    "totals of the samples",
    "another measure of the same samples",
    "no values",
]
"""What a numeric column that is no sample holds."""
LONGEST = 400
"""Characters of a name that are looked at: the time may grow with their square."""
_IDENTIFIER_TEXT = """
arrayaddressid entrez entrezgene entrezgeneid entrezgeneids entrezid entrezids geneid geneindex
hgnc hgncid id idref index locuslink locuslinkid mgiid ncbigeneid ncbiid nr omim omimid probeid
rowid rowno rownum rownumber transcriptclusterid unigeneid
"""
_POSITION_TEXT = """
band cdsend cdsstart chr chrom chromend chromosome chromosomename chromstart contig coordinate
coordinates cytoband end endbp endposition genechr geneend geneendbp genestart genestartbp
genestrand genomiclocation karyotypeband locus mapinfo pos position reference region seqname
seqnames start startbp startposition stop strand transcriptionstartsitetss tss txend txstart width
"""
_LENGTH_TEXT = """
basepairlength basepairs bp cdnalength cdslength effectivelength efflength exoniclength
exonlength exonlengths genelen genelength genelengthbp genelengthkb genesize len length lengthbp
lengthkb medianlength medianlengthnormalized mergedlength size transcriptlength txlength
unionexonlength
"""
_ANNOTATION_TEXT = """
classcode distance distancetofeature distancetotss exoncount exonnumber exonnumbers
frac gc gccontent genegccontent highlyvariable isopct
level nexons nprobe nprobes ntranscripts numberoftranscripts numexons numprobes
percentagegccontent percentagegenegccontent percentgc phase
probecount proteincoding transcriptcount tssid
"""
_STATISTIC_TEXT = """
adjpval adjpvalue adjustedpvalue aveexpr avelogcpm avglog2fc avglogfc basemean basemeana
basemeanb bonferroni dispersion dispersionsnorm fc fdr fdrpvalue finalsigmasq foldchange lfc
lfcse lods log10pvalue log2fc log2foldchange logcpm logfc lr meanobs neglog10padj neglog10pvalue
padj padjust pct1 pct2 pval pvaladj pvalfdr pvalue pvalueadj qval qvalue ranking seb semean
sigmasq significant smoothsigmasq stat svalue techvar teststat theta tstat varobs waldstat
zscore
"""
_SHORT_STATISTIC_TEXT = """
b cv f mean median n p prob q rank score sd se status t value1 value2 var weight z
"""
_TOTAL_TEXT = """
alltotal average averagecount averageexpression avgcount avgcounts avgexpression countsum cv
grandtotal max maxcount maxcounts maxexpression maximum mean meancount meancounts meanexpression
median medianexpression min mincount mincounts minexpression minimum overall
rowmean rowmeans rowmedian rowsum
rowsums rowtotal sd std stdev sum sumcounts sumofcounts sums total totalcount totalcounts
totalexpression totalreads totals variance
"""
_SAMPLE_ANNOTATION_TEXT = """
age ageatdiagnosis batch bmi censor class cluster day days dead death doubletscore event fraction
gender grade group height label leiden librarysize libsize louvain months nucleotides os osdays
osmonths osstatus ostime outcome patient patientid pfs pfsmonths pfstime phase plate purity
replicate response rin samplenumber seuratclusters sex sizefactor stage status survival target
time treatment tsne1 tsne2 umap1 umap2 vitalstatus weeks weight y year years
"""
_BESIDE_TEXT = """
and base bp cds cdna coding content count da description effective end exonic formerly from g gene
genes genomic including id in is k kb level mb mean median merged mol molecular name no num number
of or pairs percent percentage protein rank region site stable the total transcript
transcription transcripts type union utr utrs value
"""
IDENTIFIER = frozenset(_IDENTIFIER_TEXT.split())
"""Numbers that name genes or rows."""
POSITION = frozenset(_POSITION_TEXT.split())
"""Where a gene is."""
LENGTH = frozenset(_LENGTH_TEXT.split())
"""How long a gene is."""
ANNOTATION = frozenset(_ANNOTATION_TEXT.split())
"""What else is known of a gene, in numbers."""
GC = frozenset({"gc", "frac"})
"""Annotation only where the values may be percentages: a germinal centre is called GC too."""
GC_WORD = re.compile(r"(?<![a-z0-9])gc(?![a-z0-9])")
"""The same in a name of several words: GC_count may be the reads of a germinal centre."""
STATISTIC = frozenset(_STATISTIC_TEXT.split())
"""Results of a test for differential expression."""
GENE_WORDS: tuple[tuple[str, frozenset[str]], ...] = tuple(
    (reason, frozenset(words.split()))
    for reason, words in (
        (
            "places in the genome",
            "chromosome chromosomal chrom chr scaffold contig start stop strand locus band tss"
            " cytoband karyotype location coordinate coordinates",
        ),
        ("lengths of the genes", "length len size"),
        ("identifiers", "version hgnc ncbi entrezgene ensembl entrez"),
        (
            "annotation of the genes",
            "gc exon exons isoforms introns peptides weight mass kda mw pi tsl appris tpx"
            " constitutive support paralogs orthologs",
        ),
    )
)
"""Words of which one tells what a column says of the genes -> what it then holds."""
BESIDE_WORDS = frozenset(_BESIDE_TEXT.split())
"""Words that may be beside these; a name with any other word is one of a sample."""
SHORT_STATISTIC = frozenset(_SHORT_STATISTIC_TEXT.split())
"""Names that say so only beside other results of a test: they may be samples otherwise."""
TOTAL = frozenset(_TOTAL_TEXT.split())
"""Totals, means and spreads over the samples."""
SPREAD = frozenset({"cv", "sd", "std", "stdev", "variance"})
"""Spreads among these, which no values can tell from a sample."""
SUMMARY_OF_GROUP = re.compile(
    r"(?:mean|avg|average|median|sd|stdev|sem|variance|ratio)[_. ](?!\d+$)\S.*|"
    r"\S.*[_. ](?:mean|avg|average|median|sd|stdev|sem|variance|ratio)|ratio",
    re.IGNORECASE,
)
"""Means, spreads and ratios of groups of samples; only beside columns that are called otherwise."""
STATISTIC_PART = re.compile(
    r"(?<![a-z0-9])(?:log2?[_. ]?fold[_. ]?change|log2?[_. ]?fc|fold[_. ]?change|p[_. ]?adj|"
    r"p[_.\- ]?val(?:ue)?|adj(?:usted)?[_. ]?p(?:[_.\- ]?val(?:ue)?)?|q[_.\- ]?val(?:ue)?|fdr|"
    r"lfc[_. ]?se|base[_. ]?mean|(?:conf|ci)[_. ]?(?:lo|hi|low|high|lower|upper))(?![a-z0-9])"
)
"""As one of the words of a name: padj_treated, KO.vs.WT.log2FoldChange."""
DETECTION = re.compile(
    r"detection[_.\- ]*p?[_.\- ]*(?:val(?:ue)?)?s?(?:\.\d+)?$|det(?:ect)?[_. ]?p(?:val)?$|"
    r"(?:abs|detection)[_. ]call$|bead[_. ]?std[_. ]?err$|(?:avg[_. ]?)?n[_. ]?beads$|"
    r"array[_. ]?stdev$|(?:min|max)[_. ]signal$|"
    r"^(?:detection(?:[_. ]?p?[_. ]?val(?:ue)?)?|bead[_. ]?std[_. ]?err|(?:avg[_. ]?)?n[_. ]?beads|"
    r"array[_. ]?stdev|(?:min|max)[_. ]signal)[_.:\- ]+\S"
)
"""End or beginning of the names that array software writes beside each sample's signal."""

MEASURES: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("TPM", re.compile(r"tpm(?:[_ .-]?unstranded)?|abundance|transcripts[_ ]per[_ ]million")),
    ("FPKM", re.compile(r"[fr]pkm(?:[_ .-]?uq)?(?:[_ .-]?unstranded)?|norm(?:alized)?[_ .-]?fpkm")),
    ("CPM", re.compile(r"cpm|rpm")),
    (
        "normalised counts",
        re.compile(r"norm(?:ali[sz]ed)?[_ .-]?(?:counts?|reads?|expression)|scaled[_ ]estimate"),
    ),
    (
        "counts",
        re.compile(
            r"(?:raw|expected|est|estimated|gene|fragment|umi|unique[_ ]?gene)?[_ .-]?"
            r"(?:read)?[_ .-]?counts?|num[_ .-]?reads|reads?|unstranded|umis?"
        ),
    ),
    ("counts of one strand", re.compile(r"stranded[_ .-]?(?:first|second)|(?:anti)?sense")),
    ("signal", re.compile(r"(?:avg[_ .-]?)?signal|intensity|value")),
    ("coverage", re.compile(r"cov(?:erage)?|per[_ ]base[_ ]coverage")),
)
"""Units as column names, the preferred first: with TPM no length of a gene plays a part."""
SAMPLE_ANNOTATION = frozenset(_SAMPLE_ANNOTATION_TEXT.split())
"""What is known of a sample or a cell beside its genes, in tables with samples in rows."""
SAMPLE_TOTAL = re.compile(
    r"(?:log1?p?)?(?:n|num|total|sum|pct|percent|percentage|fraction)(?:of)?"
    r"(?:counts?|genes?|features?|umis?|reads?|mt|mito\w{0,12}|ribo\w{0,8}|hb|rb)"
    r"(?:rna|mt|bycounts|mito|ribo|hb)?"
)
"""Sums and fractions that Seurat and scanpy write beside the genes, without marks."""
STRAND = re.compile(r"stranded[_ .-]?(?:first|second)")
SUMMARY = re.compile(
    r"__(?:no_feature|ambiguous|too_low_aQual|not_aligned|alignment_not_unique)|"
    r"N_(?:unmapped|multimapping|noFeature|ambiguous)|"
    r"(?:no_feature|ambiguous|too_low_aQual|not_aligned|alignment_not_unique)"
)
COUNTED = re.compile(
    r"(?:n|num|number|no|count)[._ ]?(?:of[._ ]?)?"
    r"(?:expressed|detected|samples?|non[._ ]?zeros?|zeros?)(?![A-Za-z0-9])",
    re.IGNORECASE,
)
"""In how many samples a gene was found."""
_HOW = (
    r"norm(?:ali[sz]ed)?(?:[_ .-]?counts?)?|log(?:2|10)?(?:[_ .-]?(?:[tfrc]pk?m|counts?|norm))?|ln|"
    r"vst|rlog|tmm|rma|scaled|z[_ .-]?scores?|raw(?:[_ .-]?counts?)?|voom|deseq2?|edger|[tfrc]pk?m|"
    r"counts?|reads"
)
TRANSFORMED = re.compile(
    rf"(?P<of>.+?)[_. -]+[(\[]?(?P<how>{_HOW})[)\]]?|(?P<how2>{_HOW})[_. (\[-]+(?P<of2>.+?)[)\]]?",
    re.IGNORECASE,
)
"""A sample beside what was done with it: PT01_norm, log2(PT01)."""
TISSUE_TOO = re.compile(r"ln$|norm|raw|rma$|scaled")
"""Of these, in lower case, those by which other samples of a patient are called as well."""
UNNAMED = re.compile(
    r"\W*(?:[VX]|(?:column|col|unnamed|var|value|field)[ :_.]*)?0\W*", re.IGNORECASE
)
"""Names that programs give to columns without one, every number as 0."""
BAM = re.compile(r"\.(?:bam|sam|cram)$", re.IGNORECASE)
BAM_END = re.compile(
    r"[._]?(?:Aligned)?(?:[._]?sort(?:ed)?(?:ByCoord|ByName)?)?(?:[._]?out)?"
    r"(?:[._](?:dedup|markdup|rmdup|umi_dedup|uniq|unique))*\.(?:bam|sam|cram)$",
    re.IGNORECASE,
)


def plain(name: str) -> str:
    """A column's name without case, blanks and marks."""
    return "".join(c for c in name.lower() if c.isalnum())


def said_of_genes(name: str) -> str | None:
    """What a name of several words says of the genes: Transcript length (including UTRs and CDS),
    Chromosome/scaffold name, Mol. weight [kDa]; None where any of its words is not about genes.
    """
    parts = re.findall(r"[A-Za-z]+|\d+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name[:LONGEST]))
    words = {part.lower() for part in parts}
    told = [(reason, words & these) for reason, these in GENE_WORDS]
    about = frozenset().union(*(found for _, found in told))
    if not about or not words - about <= BESIDE_WORDS:
        return None
    # one word alone may be a sample: the lists above have those that are none
    if len(parts) < 2 and not about & {"exons", "chromosome"}:
        return None
    return next(reason for reason, found in told if found)


def is_known_of_genes(name: str) -> bool:
    """Whether a column is called as those that say something of the genes."""
    known = (IDENTIFIER, POSITION, LENGTH, ANNOTATION, STATISTIC)
    return any(plain(name) in these for these in known) or said_of_genes(name) is not None
