"""What one name may be: the kinds of identifier, and the parts of a name such as ENSG…|CD3E.

Only the form of a name counts here; :mod:`gui.knowledge.gene_lists` asks whether a gene has it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

LONGEST = 300
"""Characters from which on a name is not looked into."""


class Kind(StrEnum):
    """Kind of identifier; the value is how it is called in a sentence."""

    SYMBOL = "gene symbols"
    ENSEMBL = "Ensembl gene IDs"
    ENTREZ = "Entrez gene IDs"
    TRANSCRIPT = "transcript IDs"
    PROTEIN = "protein IDs"
    AFFYMETRIX = "Affymetrix probe sets"
    ILLUMINA = "Illumina probes"
    AGILENT = "Agilent probes"
    METHYLATION = "methylation probes"
    MICRO_RNA = "microRNAs"
    REGION = "genomic regions"
    HGNC = "HGNC IDs"
    OTHER_SPECIES = "gene IDs of another species"
    NUMBER = "numbers"
    UNKNOWN = "names of an unknown kind"


ADVICE: dict[Kind, str] = {
    Kind.TRANSCRIPT: (
        "Summarise the transcripts to genes (tximport with a tx2gene table, or the file of genes "
        "that salmon, kallisto and RSEM pipelines write beside it), or take the gene names from "
        "a table of transcripts and genes."
    ),
    Kind.PROTEIN: "Use the table of gene expression.",
    Kind.AFFYMETRIX: (
        "Take the gene names from the annotation table of the chip: the table of its GPL "
        "platform at GEO, or Affymetrix' NetAffx file."
    ),
    Kind.ILLUMINA: (
        "Take the gene names from the annotation table of the chip: the table of its GPL "
        "platform at GEO, or Illumina's manifest file."
    ),
    Kind.AGILENT: (
        "Take the gene names from the annotation table of the chip: the table of its GPL "
        "platform at GEO, or Agilent's gene list file."
    ),
    Kind.METHYLATION: "Methylation is no expression; use the table of gene expression.",
    Kind.MICRO_RNA: "Use the table of gene expression.",
    Kind.REGION: "Use the table of gene expression, or of gene activity.",
    Kind.HGNC: "Take the gene names from HGNC's table (genenames.org, complete set).",
    Kind.OTHER_SPECIES: "Take the gene names from a table of that species (BioMart).",
    Kind.NUMBER: "Give gene names in the first column.",
    Kind.UNKNOWN: "Take the gene names from a table of these names and gene symbols.",
}
"""What to do where names of this kind cannot be matched with those of the other files."""

SPECIES = {
    "ENSG": "human",
    "ENSMUSG": "mouse",
    "ENSRNOG": "rat",
    "ENSDARG": "zebrafish",
    "ENSSSCG": "pig",
    "ENSBTAG": "cow",
    "ENSCAFG": "dog",
    "ENSGALG": "chicken",
    "ENSMMUG": "macaque",
    "ENSMFAG": "macaque",
    "ENSPTRG": "chimpanzee",
    "ENSOCUG": "rabbit",
    "ENSOARG": "sheep",
    "FBgn": "fruit fly",
    "WBGene": "worm (C. elegans)",
}
"""Beginning of gene IDs -> species."""

_FORMS: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    (Kind.ENSEMBL, re.compile(r"ENS(?:[A-Z]{3,6})?G\d{6,15}(?:\.\d+)?(?:_\d+)?(?:_PAR_Y)?")),
    (
        Kind.TRANSCRIPT,
        re.compile(r"ENS(?:[A-Z]{3,6})?T\d{6,15}(?:[._].*)?|[NX][MR]_\d{4,12}(\.\d+)?"),
    ),
    (Kind.TRANSCRIPT, re.compile(r"uc\d{3}[a-z]{3}(\.\d+)?|ENS(?:[A-Z]{3,6})?E\d{6,15}")),
    (Kind.PROTEIN, re.compile(r"ENS(?:[A-Z]{3,6})?P\d{6,15}(?:\.\d+)?|[NX]P_\d{4,12}(\.\d+)?")),
    (Kind.AFFYMETRIX, re.compile(r"AFFX-.+|.+_at|.+_st|TC\w+\.(?:hg|mm)\.\d+|PSR\w+\.hg\.\d+")),
    (Kind.ILLUMINA, re.compile(r"ILMN_\d+|GI_\d+-[A-Z]+")),
    (Kind.AGILENT, re.compile(r"A_\d{2}_P\d+|\(\+\)E1A_.+|DarkCorner|GE_BrightCorner")),
    (Kind.METHYLATION, re.compile(r"c[gh]\.?\d{4,10}[FR]?(?:_[TB][CO]\d+)?|ch\.\w+\.\d+[FR]")),
    (Kind.MICRO_RNA, re.compile(r"(?:hsa|mmu|rno)-(?:mir|let)-.+|MIMAT\d+", re.IGNORECASE)),
    (Kind.REGION, re.compile(r"chr\w{1,30}[:_-]\d+[-_]\d+|\w{1,30}:\d+-\d+")),
    (Kind.HGNC, re.compile(r"HGNC:\d+")),
    (Kind.OTHER_SPECIES, re.compile(r"FBgn\d{7}|WBGene\d{8}|AT[1-5CM]G\d{5}|ZDB-GENE-[\d-]+")),
    (Kind.PROTEIN, re.compile(r"[OPQ]\d[A-Z0-9]{3}\d|[A-NR-Z]\d(?:[A-Z][A-Z0-9]{2}\d){1,2}")),
    (Kind.NUMBER, re.compile(r"\d+(?:\.0+)?")),
)
_VERSION = re.compile(r"^(ENS[A-Z]*[GTP]R?\d{6,}|[NX][MRP]_\d{4,})\.\d+(?=$|[|_])")
_SEPARATORS = "|_-.:;/,([ "
_ENSEMBL_FIRST = re.compile(
    r"(ENS(?:[A-Z]{3,6})?G\d{6,15})(\.\d{1,3}(?![\d.]))?(_\d{1,2}(?!\w))?(_PAR_Y)?(.*)", re.DOTALL
)
_ENSEMBL_LAST = re.compile(
    r"(.+?)[|_\-.:;/,( \[]+(ENS(?:[A-Z]{3,6})?G\d{6,15})(\.\d{1,3})?(_PAR_Y)?[)\]]?", re.DOTALL
)
_BRACKETS = re.compile(r"([^()\[\]]+?)\s*[(\[]([^()\[\]]+)[)\]]")
_R_BRACKETS = re.compile(r"([^.].*?)\.\.(\d+)\.")  # what make.names leaves of "TSPAN6 (7105)"
_SYMBOL_NUMBER = re.compile(r"([A-Za-z].*?)[_.](\d+)")
_SPLIT = re.compile(r"\s*(?:/{2,3}|[|;])\s*")
_PREFIX = re.compile(
    r"(?:(GRCh3[78]|hg19|hg38|human)|GRCm3[89]|mm9|mm10|mm39|mouse)(?:_+|-)(?=.)", re.IGNORECASE
)
_OLD_Y_COPY = re.compile(r"ENSGR(\d{10}(?:\.\d{1,3})?)(?![\d.])")
"""GENCODE before release 25: ENSGR0000205755.9, later ENSG00000205755.9_PAR_Y."""
_BLANK = str.maketrans("", "", "\u200b\u200c\u200d\u200e\u200f\u2060\ufeff\u00ad")
EMPTY = frozenset({"", "?", "-", "--", "---", "NA", "N/A", "nan", "None", "null", "."})
"""What stands where a part of a name is missing."""


@dataclass(frozen=True, slots=True)
class NameParts:
    """A name taken apart.

    Parameters
    ----------
    text
        The name freed of blanks, quotes, ``b''`` and a species prefix.
    removed
        What it was freed of, for a sentence.
    ensembl
        The Ensembl gene ID in it, without version.
    number
        The number beside a symbol, which may be an Entrez ID.
    symbols
        What is neither; a plain name is its only symbol.
    """

    text: str
    removed: tuple[str, ...] = ()
    ensembl: str = ""
    number: str = ""
    symbols: tuple[str, ...] = ()


def kind_of(name: str) -> Kind | None:
    """The kind that the form of one bare name shows; None for what may be a symbol."""
    if len(name) > LONGEST:
        return Kind.UNKNOWN
    return next((kind for kind, form in _FORMS if form.fullmatch(name)), None)


def without_version(name: str) -> str:
    """The name without the version of its ID: ENST00000456328.2 -> ENST00000456328."""
    return _VERSION.sub(r"\1", name)


def holds_transcripts(names: Iterable[str]) -> bool:
    """Whether most of the names that are there are transcript IDs, with no gene beside them."""
    filled = [name for name in map(str, names) if name not in EMPTY]
    forms = [form for kind, form in _FORMS if kind is Kind.TRANSCRIPT]
    found = sum(
        len(name) <= LONGEST
        and any(form.fullmatch(name) for form in forms)
        and not take_apart(name).ensembl
        for name in filled
    )
    return found > 0.5 * len(filled)


def take_apart(name: str) -> NameParts:
    """The parts of a name, by its form alone."""
    if len(name) > LONGEST:
        return NameParts(name, symbols=(name,))
    text, removed = _bare(name)
    if found := _ENSEMBL_FIRST.fullmatch(text):
        ensembl, version, lifted, copy, rest = found.groups()
        if rest == "_at":  # custom chip files of Brainarray: ENSG00000000003_at
            return NameParts(text, (*removed, "_at removed"), ensembl)
        if not rest or rest[0] in _SEPARATORS:
            cut = (*removed, *_cut(version or lifted, copy))
            beside = _others(rest.lstrip(_SEPARATORS).rstrip(")] "))
            return NameParts(text, cut, ensembl, "", beside)
    elif "ENS" in text:
        parts = _SPLIT.split(text)
        for part in parts if len(parts) > 1 else ():  # GENCODE: transcript|gene|…|symbol|…
            if found := _ENSEMBL_FIRST.fullmatch(part.strip()):
                # GENCODE: transcript|gene|OTTHUMG|OTTHUMT|name|symbol|length|kind
                others = tuple(parts) if len(parts) == 2 else tuple(parts[5:6])
                rest_of = tuple(o for o in others if o != part and o not in EMPTY)
                cut = (*removed, *_cut(found[2], found[4]))
                return NameParts(text, cut, found[1], "", rest_of)
        if found := _ENSEMBL_LAST.fullmatch(text):
            cut = (*removed, *_cut(found[3], found[4]))
            return NameParts(text, cut, found[2], "", _others(found[1]))
    if "|" in text or ";" in text or "//" in text:
        return _of_parts(text, removed, _SPLIT.split(text))
    found = _BRACKETS.fullmatch(text) or _R_BRACKETS.fullmatch(text)
    if found:
        return _of_parts(text, removed, [found[1], found[2]])
    return NameParts(text, removed, "", "", (text,) if text not in EMPTY else ())


def leading_kind(names: Sequence[str]) -> Kind:
    """The kind of identifier that most names begin with: Ensembl IDs for ENSG…|CD3E.

    What may be a symbol is one: only the form counts, so that cut or made-up names do as well.
    """
    counts = Counter(_kind_of_first(name[:LONGEST]) for name in names)
    return counts.most_common(1)[0][0] if counts else Kind.UNKNOWN


def _kind_of_first(name: str) -> Kind:
    text = _bare(name)[0]
    if found := _ENSEMBL_FIRST.match(text):
        rest = found[5]
        if not rest or rest[0] in _SEPARATORS:
            return Kind.ENSEMBL
    first = re.split(r"[|;(\[/]", text, maxsplit=1)[0].strip()
    return kind_of(first) or (Kind.UNKNOWN if first in EMPTY else Kind.SYMBOL)


def symbol_and_number(text: str) -> tuple[str, str] | None:
    """CD3E_916 and R's CD3E.916 -> ("CD3E", "916"): a guess, to be confirmed by the tables."""
    found = _SYMBOL_NUMBER.fullmatch(text)
    return (found[1], found[2]) if found else None


def _bare(name: str) -> tuple[str, tuple[str, ...]]:
    removed: list[str] = []
    text = name.translate(_BLANK).strip()
    if text[:2] in ("b'", 'b"') and len(text) > 3 and text[-1] == text[1]:
        text = text[2:-1].strip()
        removed.append("b'' removed")
    plain = text.strip("\"'`").strip() if text[:1] in "\"'`" or text[-1:] in '"`' else text
    if plain != name and not removed:
        removed.append("blanks or quotes removed")
    text = plain
    if found := _PREFIX.match(text):
        removed.append(f"{found[0].rstrip('_-')} in front removed")
        text = text[found.end() :]
    if found := _OLD_Y_COPY.match(text):
        text = f"ENSG0{found[1]}_PAR_Y{text[found.end() :]}"
    return text, tuple(removed)


def species_in_front(name: str) -> str:
    """Whose gene a prefix says it is, as references of two species have it: GRCh38_, mm10___."""
    found = _PREFIX.match(name.strip())
    return "" if not found else "human" if found[1] else "mouse"


def _cut(version: str | None, copy: str | None) -> list[str]:
    return (["version cut"] if version else []) + (["copy on the Y chromosome"] if copy else [])


def _others(rest: str) -> tuple[str, ...]:
    parts = _SPLIT.split(rest) if rest else []
    return tuple(p for p in parts if p not in EMPTY) if len(parts) == 1 else ()


def _of_parts(text: str, removed: tuple[str, ...], parts: list[str]) -> NameParts:
    filled = [part.strip() for part in parts if part.strip() not in EMPTY]
    numbers = [part for part in filled if part.isdecimal()]
    symbols = tuple(part for part in filled if not part.isdecimal())
    number = numbers[0] if len(parts) == 2 and len(numbers) == 1 else ""
    return NameParts(text, removed, "", number, symbols)
