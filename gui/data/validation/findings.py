"""What the data doctor says: one class per kind of fault, with its severity, its place, a sentence,
and where possible a repair.

The classes only name the faults; what finds them is :mod:`gui.data.validation.check_part` (one
part) and :mod:`gui.data.validation.check_parts` (several parts).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, Self

from gui import errors
from gui.data.validation.repairs import Repair

Severity = Literal["info", "warning", "refusal"]
Outcome = Literal["accept", "accept with a warning", "refuse"]
AT_MOST = 20
"""Names kept in a place."""


@dataclass(frozen=True)
class Place:
    """Where it is. genes, columns (cells, types or samples) : at most 20 are kept; count : of all
    of them; line : of a text file.
    """

    file: str = ""
    role: str = ""
    genes: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    line: int | None = None
    count: int = 0

    @classmethod
    def at(
        cls,
        file: str,
        role: str,
        *,
        genes: Iterable[object] = (),
        columns: Iterable[object] = (),
        count: int | None = None,
    ) -> Place:
        """A place with names cut to what is kept; count : the number of names unless it is
        given.
        """
        of_genes, of_columns = tuple(map(str, genes)), tuple(map(str, columns))
        number = max(len(of_genes), len(of_columns)) if count is None else count
        return cls(file, role, of_genes[:AT_MOST], of_columns[:AT_MOST], count=number)


@dataclass(frozen=True)
class Finding:
    """One fault. message : what is wrong and where; advice : what to do.

    repair : the proposed one; alternatives : others that the user may choose but that nobody
    proposes, because they decide something about the study (leave a sample out, trust the names of
    a file)
    """

    code: ClassVar[str] = "unknown"
    severity: ClassVar[Severity] = "refusal"
    title: ClassVar[str] = "The data do not fit"
    error: ClassVar[type[errors.DataError]] = errors.DataError
    """What loading raises for it."""

    place: Place
    message: str
    advice: str = ""
    repair: Repair | None = None
    alternatives: tuple[Repair, ...] = field(default=())
    ask: bool = False
    """Whether the user has to choose the repair: without it the file is refused."""

    def as_error(self) -> errors.DataError:
        return self.error(self.message, advice=self.advice or None)

    @classmethod
    def of(
        cls,
        error: errors.DeconomixError,
        place: Place,
        repair: Repair | None = None,
        alternatives: tuple[Repair, ...] = (),
    ) -> Self:
        """The finding that an error of :mod:`gui.data.validation.checks` tells of."""
        return cls(place, str(error), error.advice or "", repair, alternatives)

    def as_json(self) -> dict[str, Any]:
        """For ``deconomix-gui check --json``."""
        where = {
            k: list(v) if isinstance(v, tuple) else v
            for k, v in vars(self.place).items()
            if v or k == "file"
        }
        text = " ".join(filter(None, (self.message, self.advice)))
        repair = (
            None if self.repair is None else self.repair.record() | {"title": self.repair.title()}
        )
        return {
            "code": self.code,
            "severity": self.severity,
            "message": text,
            "where": where,
            "repair": repair,
        }


def outcome(findings: Iterable[Finding]) -> Outcome:
    """The worst of the findings: a fault with a proposed repair counts as a warning, unless the
    user has to choose it.
    """
    found = list(findings)
    if any(f.severity == "refusal" and (f.repair is None or f.ask) for f in found):
        return "refuse"
    return "accept with a warning" if any(f.severity != "info" for f in found) else "accept"


FINDINGS: dict[str, type[Finding]] = {}
"""Every kind of finding, by its code."""


def _kind(
    code: str, severity: Severity, title: str, error: type[errors.DataError] = errors.DataError
) -> Any:
    def name(cls: type[Finding]) -> type[Finding]:
        cls.code, cls.severity, cls.title, cls.error = code, severity, title, error
        FINDINGS[code] = cls
        return cls

    return name


# -- the file
# --------------------------------------------------------------------------------------------------


@_kind("unreadable", "refusal", "The file cannot be read", errors.UnreadableFile)
class Unreadable(Finding):
    """Missing, empty, damaged, of another kind than its name says."""


@_kind("unsafe", "refusal", "The file was refused", errors.UnsafeFile)
class Unsafe(Finding):
    """Holds what a data file never holds."""


@_kind("not-a-number", "refusal", "Text where a number should be", errors.BadValues)
class NotANumber(Finding):
    """A table whose values are no numbers."""


@_kind("no-labels", "refusal", "No cell types", errors.NoLabels)
class Unlabelled(Finding):
    """Single cells whose types are unknown."""


@_kind("read-with-a-choice", "warning", "Read with a choice")
class ChoiceMade(Finding):
    """Something in the file could have been read in another way: the sheet, the matrix."""


@_kind("later-version", "warning", "A later version of the format")
class LaterVersion(Finding):
    """Read as far as it is known."""


@_kind("columns-left-out", "warning", "Columns that are no samples")
class ColumnsLeftOut(Finding):
    """Lengths, places, IDs, results of tests: numbers, but no expression."""


@_kind("rows-without-name", "warning", "Rows without a gene name")
class RowsWithoutName(Finding):
    """They are left out."""


@_kind("note", "info", "Note")
class Noted(Finding):
    """What was done on reading, worth a line and no action."""


@_kind("blank-in-names", "info", "Blanks around names")
class BlanksInNames(Finding):
    """Blanks or quotes around gene names."""


@_kind("version-suffixes", "warning", "Version numbers at gene names")
class VersionSuffixes(Finding):
    """ENSG00000115523.4"""


@_kind("gene-names", "warning", "Gene names of another kind")
class GeneNames(Finding):
    """Names that the other parts have otherwise: IDs, former symbols, HLA.A for HLA-A."""


@_kind("excel-dates", "warning", "Gene names turned into dates")
class DatesAsGenes(Finding):
    """2-Sep: Excel."""


@_kind("duplicated-genes", "refusal", "Genes that occur more than once", errors.BadNames)
class DuplicatedGenes(Finding):
    """The same gene name in several rows."""


@_kind("nameless", "refusal", "Names are missing", errors.BadNames)
class Nameless(Finding):
    """A gene or column without a name."""


@_kind("numbered-genes", "warning", "Numbers instead of gene names")
class NumberedGenes(Finding):
    """0, 1, 2 ... as gene names, the real ones in a column of var."""


@_kind("duplicated-samples", "refusal", "Samples that occur more than once", errors.BadNames)
class DuplicatedSamples(Finding):
    """The same sample or type name in several columns."""


@_kind("identical-samples", "warning", "Samples that hold the same values")
class IdenticalSamples(Finding):
    """Two samples whose values are equal, or equal but for a factor."""


@_kind("cells-as-bulk", "warning", "Single cells instead of samples")
class CellsAsBulk(Finding):
    """A bulk whose samples are called like barcodes of single cells."""


@_kind("single-sample", "warning", "A single sample")
class SingleSample(Finding):
    """A bulk of one sample."""


@_kind("transposed", "refusal", "Genes and columns are exchanged", errors.BadNames)
class Transposed(Finding):
    """Genes where cells, types or samples should be."""


@_kind("no-common-genes", "refusal", "No common genes", errors.NoCommonGenes)
class NothingCommon(Finding):
    """Two parts share no gene: Ensembl against symbols, mouse against human, ..."""


@_kind("few-common-genes", "warning", "Genes are missing")
class FewCommon(Finding):
    """A part holds only some of the training genes."""


# -- values
# --------------------------------------------------------------------------------------------------


@_kind("missing-values", "refusal", "Values are missing", errors.BadValues)
class MissingValues(Finding):
    """NaN or infinite values."""


@_kind("negative-values", "refusal", "Negative values", errors.BadValues)
class NegativeValues(Finding):
    """Values below zero that are no logarithms."""


@_kind("scaled-values", "refusal", "Scaled values", errors.BadValues)
class ScaledValues(Finding):
    """Centred values (z-scores): they cannot be turned back into expression."""


@_kind("log-values", "warning", "The values look log-transformed")
class LogValues(Finding):
    """log(x+1) in place of x."""


@_kind("negative-log-values", "refusal", "The values look like a log2-CPM", errors.BadValues)
class NegativeLog(Finding):
    """Logarithms without an offset: negative where expression is low."""


@_kind("gene-lengths", "refusal", "Lengths instead of expression", errors.BadValues)
class GeneLengths(Finding):
    """Lengths of the genes, as tools write them in a table beside the expression."""


@_kind("all-zero", "refusal", "Nothing but zeros", errors.BadValues)
class AllZero(Finding):
    """No value above zero."""


@_kind("boolean-values", "refusal", "True and False instead of numbers", errors.BadValues)
class BooleanValues(Finding):
    """Whether a gene was detected, not how much of it."""


@_kind("detected-only", "warning", "The values only say whether a gene was detected")
class DetectedOnly(Finding):
    """0 and 1, or 0 and one other value, in every column."""


@_kind("constant-values", "refusal", "One and the same value everywhere", errors.BadValues)
class ConstantValues(Finding):
    """A matrix of a single value."""


@_kind("empty-genes", "warning", "Genes that are zero everywhere")
class EmptyGenes(Finding):
    """Genes without any expression in a part."""


@_kind("empty-cells", "warning", "Cells without counts")
class EmptyCells(Finding):
    """Cells whose values are all zero."""


@_kind("empty-columns", "refusal", "Columns that are zero everywhere", errors.EmptyColumn)
class EmptyColumns(Finding):
    """A sample or type whose values are all zero."""


# -- cell types
# --------------------------------------------------------------------------------------------------


@_kind("cells-without-label", "warning", "Cells without a label")
class CellsWithoutLabel(Finding):
    """They are left out."""


@_kind("unclear-types", "warning", "Cells whose type is not known")
class UnclearTypes(Finding):
    """Unknown, Unassigned, Doublet: no cell types."""


@_kind("coded-values", "warning", "Few different values")
class CodedValues(Finding):
    """Whole numbers up to 9: bins or classes instead of counts."""


@_kind("labels-unique", "refusal", "Every cell has a label of its own", errors.BadNames)
class LabelsUnique(Finding):
    """Cell names in place of cell types."""


@_kind("signature-matrix", "refusal", "A signature matrix", errors.BadNames)
class SignatureMatrix(Finding):
    """One column per cell type instead of cells: a reference."""


@_kind("few-cells", "warning", "Types of very few cells")
class FewCells(Finding):
    """A type of one or two cells."""


@_kind("alike-labels", "warning", "Labels that differ in spelling only")
class AlikeLabels(Finding):
    """B cell, B cells, b-cells."""


@_kind("numbered-types", "warning", "Numbers instead of cell types")
class NumberedTypes(Finding):
    """0, 1, 2 ... as clusterings give them."""


@_kind("copied-cells", "warning", "Cells that are copies of others")
class CopiedCells(Finding):
    """A tenth of the cells or more: the file may hold the same cells twice."""


@_kind("cells-in-both", "warning", "Training cells among the test cells")
class CellsInBoth(Finding):
    """The test would be of cells that were trained on."""


@_kind("long-label", "warning", "Very long names")
class LongLabel(Finding):
    """A name of a cell type that no figure can show."""


@_kind("odd-label", "info", "Unusual characters in names")
class OddLabel(Finding):
    """Formulas, paths or line breaks in names: shown and written as text."""


@_kind("one-type", "refusal", "Too few cell types", errors.TooFewTypes)
class OneType(Finding):
    """Fewer than two cell types."""


@_kind("alike-types", "warning", "Cell types that look the same")
class AlikeTypes(Finding):
    """Two types of nearly or exactly the same profile."""


@_kind("collinear-types", "refusal", "Cell types that look the same", errors.CollinearTypes)
class Collinear(Finding):
    """Types that are mixtures of each other."""


@_kind("too-few-genes", "refusal", "Too few genes", errors.TooFewGenes)
class FewGenes(Finding):
    """Fewer genes than types."""


@_kind("untrained-type", "refusal", "Reference types without cells", errors.MissingPart)
class Untrained(Finding):
    """A type of the reference that no training cell bears."""


@_kind("type-not-in-reference", "info", "Types that the reference lacks")
class HiddenType(Finding):
    """Types of the training cells that the reference lacks."""


@_kind("type-not-in-test", "warning", "Types without test cells")
class NotInTest(Finding):
    """No correlation can be given."""


@_kind("foreign-test-type", "warning", "Types of the test cells only")
class ForeignTest(Finding):
    """They are hidden in the test pseudobulks."""


@_kind("cannot-check", "refusal", "The data do not fit")
class Other(Finding):
    """What a check says that has no kind of its own."""


# -- clinical tables and truth
# -------------------------------------------------------------------------------------------------


@_kind("samples-not-joined", "refusal", "No sample could be joined", errors.MissingPart)
class NotJoined(Finding):
    """No sample of the bulk is in the table."""


@_kind("samples-joined-by-help", "warning", "Sample names are spelled differently")
class JoinedByHelp(Finding):
    """Dots against dashes, numbers as text, barcodes by prefix, the patient within a name."""


@_kind("ambiguous-join", "warning", "Samples that fit several rows")
class AmbiguousJoin(Finding):
    """It cannot be told which row is meant, or one row is meant twice."""


@_kind("samples-without-row", "warning", "Samples that the table lacks")
class SamplesWithoutRow(Finding):
    """No clinical data or no truth for them."""


@_kind("time-unit", "warning", "Which unit are the times in?")
class TimeUnit(Finding):
    """Days, months or years."""


@_kind("times-are-text", "warning", "Text where times should be")
class TimesAreText(Finding):
    """The chosen time column holds no numbers."""


@_kind("negative-time", "warning", "Negative times")
class NegativeTime(Finding):
    """Left out."""


@_kind("missing-time", "warning", "Missing times")
class MissingTime(Finding):
    """Left out."""


@_kind("zero-time", "warning", "Times of 0")
class ZeroTime(Finding):
    """Kept."""


@_kind("event-value", "warning", "Which value is the event?")
class EventValue(Finding):
    """Alive and Dead, 1 and 2."""


@_kind("percent", "warning", "Percent instead of fractions")
class Percent(Finding):
    """Shares that sum up to 100."""


@_kind("scores", "refusal", "Scores instead of fractions", errors.BadValues)
class ScoresAsFractions(Finding):
    """Their sums differ from sample to sample and exceed one: xCell, ssGSEA, MCP-counter."""


@_kind("odd-sums", "warning", "Shares that do not sum up to 1")
class OddSums(Finding):
    """Neither to 1 nor to 100."""


@_kind("types-of-other-names", "warning", "Cell types of other names")
class OtherNames(Finding):
    """The truth calls types otherwise than the training cells."""


@_kind("mixed-spelling", "warning", "Cell types spelled in different ways")
class MixedSpelling(Finding):
    """Within one table: B cells, but NK; T cells CD4, but CD8+ T cells."""


@_kind("session", "info", "A session")
class WholeSession(Finding):
    """A session file that can be opened."""


@_kind("session-protected", "warning", "A protected session")
class ProtectedSession(Finding):
    """What is in it cannot be checked."""


@_kind("times-combined", "warning", "Times put together")
class TimesCombined(Finding):
    """Days to death of the dead, days to the last follow-up of the others."""


@_kind("times-from-dates", "warning", "Times can be computed from dates")
class TimesFromDates(Finding):
    """A clinical table with dates and without times."""


@_kind("normal-tissue", "warning", "Normal tissue beside the tumour")
class NormalTissue(Finding):
    """Two samples of one patient, of which one is a tumour."""


@_kind("composition-read", "warning", "Read with a choice")
class CompositionRead(Finding):
    """Numbers of cells were divided by their sum, a long table was brought into a wide one."""


@_kind("overlapping-types", "warning", "Cell types that overlap")
class OverlappingTypes(Finding):
    """CD4 T cells beside T cells."""


TRAITS: dict[str, type[Finding]] = {
    **dict.fromkeys(
        (
            "sheet",
            "other-sheet",
            "thousands-separator",
            "no-x",
            "matrix-proposed",
            "matrix",
            "label-column",
            "genes-column",
            "measure",
            "no-header",
            "numeric-names",
            "title",
            "two-headers",
            "samples-in-rows",
            "numbered-types",
            "unpacked",
            "percent",
            "files-joined",
            "genes-lacking",
            "features-left-out",
            "long-table",
            "sample-sheet",
        ),
        ChoiceMade,
    ),
    "later-version": LaterVersion,
    "genes-stripped": BlanksInNames,
    **dict.fromkeys(("columns-left-out", "text-columns"), ColumnsLeftOut),
    "blank-names": RowsWithoutName,
}
"""What a reader found unusual -> the finding; anything else is a note."""


def of_notes(notes: Iterable[str], traits: Mapping[str, str], place: Place) -> list[Finding]:
    """The findings that the notes on a part amount to. traits : what was unusual -> its sentence
    among the notes.
    """
    kinds = {note: TRAITS[trait] for trait, note in traits.items() if trait in TRAITS}
    return [kinds.get(note, Noted)(place, note) for note in notes]
