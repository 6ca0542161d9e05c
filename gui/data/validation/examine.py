"""Looks at everything that is to be loaded together, and says what was recognised, what is wrong,
and what would mend it.

Loads nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import pandas as pd

from gui.data.dataset import ROLES, Dataset, Matrix, Role
from gui.data.load import LoadRequest
from gui.data.profiles import bulk_against, quality, similarity, type_profiles
from gui.data.readers.file_kind import paths_of
from gui.data.readers.inspection import PREVIEW
from gui.data.readers.part import Part
from gui.data.readers.read_cache import PROCESS_CACHE, PartCache
from gui.data.readers.watchdog import watched
from gui.data.validation import findings as f
from gui.data.validation.check_part import diagnose
from gui.data.validation.check_parts import compare_parts, labelled, parts_of, shared_genes
from gui.data.validation.findings import Finding, Outcome, Place, outcome
from gui.data.validation.gene_matching import (
    count_ways,
    describe_matches,
    gene_name_maps,
    kinds_differ,
    list_names,
    match_genes,
)
from gui.data.validation.log_base import Base
from gui.data.validation.recognised import recognised
from gui.data.validation.registry import chosen_files, repair_part
from gui.data.validation.repairs import Repair, UndoLog, filled_rows
from gui.errors import BadNames, BadValues, DataError, NoLabels, UnsafeFile

STAGES = ("read", "mapped", "shared", "expressed", "selected")
"""The gene funnel: in the file, after the repairs, in all parts, with a value above zero in the
training cells, used.
"""


_BY_MATCHING = (f.VersionSuffixes, f.NumberedGenes)
"""Findings that say nothing more where the names are brought to those of the other parts."""
PATIENCE = 60.0
"""Seconds, beside those that reading takes: looking at data is more than reading them."""


@dataclass(frozen=True, eq=False)
class Seen:
    """What was recognised in a file. genes, columns : how many; options : label column, matrix;
    preview : the first genes x columns; facts : what was recognised (recognised.FACTS).
    """

    role: Role
    name: str
    kind: str
    genes: int
    columns: int
    options: Mapping[str, object]
    preview: pd.DataFrame
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Examination:
    """All that can be said before loading.

    findings : of the parts as they are after the repairs of the request; previews : beside each
        finding what its repair changes, or None
    parts : what was recognised; done : what the repairs of the request did, in sentences
    funnel : stages x parts, numbers of genes (missing where a stage was not reached)
    types : cell types x parts, numbers of cells (1 for a reference); similarity : types x types,
        cosine
    quality : per part the sums and numbers of genes of its columns; bulk_against : mean of each
        gene in bulk and reference, with its rank correlation ways : number of gene names by the way
        they were found and by part
    """

    findings: tuple[Finding, ...]
    previews: tuple[pd.DataFrame | None, ...] = ()
    parts: Mapping[Role, Seen] = field(default_factory=dict)
    done: tuple[str, ...] = ()
    funnel: pd.DataFrame = field(default_factory=pd.DataFrame)
    types: pd.DataFrame = field(default_factory=pd.DataFrame)
    similarity: pd.DataFrame = field(default_factory=pd.DataFrame)
    quality: Mapping[Role, pd.DataFrame] = field(default_factory=dict)
    bulk_against: pd.DataFrame = field(default_factory=pd.DataFrame)
    bulk_correlation: float = float("nan")
    ways: pd.DataFrame = field(default_factory=pd.DataFrame)

    @property
    def outcome(self) -> Outcome:
        """The worst finding: what has a proposed repair counts as a warning."""
        return outcome(self.findings)

    @property
    def proposed(self) -> tuple[Repair, ...]:
        """The proposed repairs of warnings and refusals, each once."""
        return tuple(
            dict.fromkeys(
                x.repair for x in self.findings if x.repair is not None and x.severity != "info"
            )
        )


def examine(
    request: LoadRequest,
    *,
    n_genes: int | None = 1000,
    current: Dataset | None = None,
    held: PartCache | None = None,
) -> Examination:
    """What is in the files of ``request`` after its repairs, and what is wrong with it.

    n_genes : how many will be selected, for the funnel; current : what is loaded already and stays
    (only the bulk is replaced): the files are compared with it, but nothing is said about it; held
    : what was read before. Never raises for bad data: a refusal is a finding.
    """
    reading = (held or PartCache()).read(chosen_files(request.files, request.repairs))
    raw = reading.parts
    found = [
        _unread(error, request.files[role].shown, role) for role, error in reading.errors.items()
    ]
    standing = {
        role: part
        for role, part in (parts_of(current).items() if current is not None else ())
        if role not in raw
    }
    whole: dict[Role, Part] = {}
    done: list[str] = []
    for role, part in raw.items():
        try:
            whole[role], said = repair_part(part, request.repairs)
            done += said
        except DataError as error:
            found.append(_unread(error, part.source.name, role))
    sick = {x.place.role for x in found if x.severity == "refusal"}
    matches = match_genes(whole | standing, fixed=standing)
    matched = {role: match.repair for role, match in matches.items() if match.repair is not None}
    for role, part in whole.items():
        others = _genes_of({r: p for r, p in (whole | standing).items() if r != role})
        mine = diagnose(
            replace(part, source=replace(part.source, notes=raw[role].source.notes)), others
        )
        found += [x for x in mine if role not in matched or not isinstance(x, _BY_MATCHING)]
        if any(x.severity == "refusal" for x in mine):
            sick.add(role)
    sound = {role: part for role, part in (whole | standing).items() if role not in sick}
    named = {x.place.role: x for x in describe_matches(matches, whole)}
    if not sick or len(sound) > 1:
        for x in compare_parts(sound):
            by = next((named[r] for r in (x.place.role, *named) if r in named), None)
            if isinstance(x, f.NothingCommon) and by is not None:
                advice = f"{by.message} {by.advice}"
                if ask := kinds_differ(whole | standing, matches):
                    advice = f"The files name their genes by different kinds of names. {advice}"
                found.append(replace(x, advice=advice, repair=by.repair, ask=ask))
                del named[by.place.role]
            elif isinstance(x, f.NothingCommon) or x.place.role not in standing:
                found += [x] if by is None or not isinstance(x, f.FewCommon) else []
    found += named.values()
    findings = tuple(sorted(found, key=lambda x: ("refusal", "warning", "info").index(x.severity)))
    profiles = _profiles(sound)
    return Examination(
        findings,
        tuple(_preview_of(x.repair, whole) for x in findings),
        {role: _seen(part) for role, part in whole.items()},
        tuple(done),
        _funnel(raw | standing, whole | standing, sound, n_genes),
        *_types(sound, profiles),
        {
            role: quality(part.matrix, part.labels)
            for role, part in whole.items()
            if role not in sick
        },
        *_bulk(sound, profiles),
        count_ways(gene_name_maps(raw, request.repairs, matches)),
    )


def gene_names(
    request: LoadRequest, *, current: Dataset | None = None, held: PartCache | None = None
) -> pd.DataFrame:
    """Every gene name of the files of ``request``, what it becomes, and by which way. DataError."""
    raw, _ = (held or PartCache()).read(chosen_files(request.files, request.repairs)).whole()
    parts = {role: repair_part(part, request.repairs)[0] for role, part in raw.items()}
    standing = parts_of(current) if current is not None else {}
    standing = {role: part for role, part in standing.items() if role not in raw}
    matches = match_genes(parts | standing, fixed=standing)
    return list_names(gene_name_maps(raw, request.repairs, matches))


def preview(request: LoadRequest, repair: Repair, *, held: PartCache | None = None) -> pd.DataFrame:
    """What one repair would change after those of the request: a small table; held : what was read
    before.

    DataError.
    """
    raw, _ = (held or PartCache()).read(chosen_files(request.files, request.repairs)).whole()
    for role, part in raw.items():
        if repair.fits(role):
            return repair.preview(repair_part(part, request.repairs)[0])
    return pd.DataFrame()


def with_proposed_repairs(
    request: LoadRequest,
    *,
    rounds: int = 6,
    held: PartCache | None = None,
    bases: Mapping[Role, Base] | None = None,
    only_logarithms: bool = False,
) -> LoadRequest:
    """The request with every proposed repair added, again and again until nothing more is
    proposed.

    held : what was read before; bases : of the logarithms of some parts, which then are undone in
    these; only_logarithms : add nothing but that.
    """
    held = held or PartCache()
    for _ in range(rounds):
        found = examine(request, held=held)
        undone = [
            x for x in found.findings if x.code in LOGARITHMS and x.place.role in (bases or {})
        ]
        wanted = [r for x in undone for r in _in_base(x, bases or {})]
        if not only_logarithms:
            instead = {x.repair for x in undone if x.repair is not None}
            wanted += [r for r in found.proposed if r not in instead]
        more = [r for r in wanted if r not in request.repairs]
        if not more:
            break
        request = request.model_copy(update={"repairs": (*request.repairs, *more)})
    return request


def _in_base(finding: Finding, bases: Mapping[Role, Base]) -> list[Repair]:
    """The repair of a finding that undoes the logarithm to the base that was given."""
    for repair in filter(None, (finding.repair, *finding.alternatives)):
        if isinstance(repair, UndoLog) and repair.base == bases.get(repair.role):
            return [repair]
    return []


LOGARITHMS = ("log-values", "negative-log-values")
"""Findings on logarithms."""


def _unread(error: DataError, file: str, role: str) -> Finding:
    kinds: dict[type[DataError], type[Finding]] = {
        UnsafeFile: f.Unsafe,
        NoLabels: f.Unlabelled,
        BadValues: f.NotANumber,
        BadNames: f.Nameless,
    }
    return kinds.get(type(error), f.Unreadable).of(error, Place(file, role))


def _genes_of(parts: Mapping[Role, Part]) -> frozenset[str]:
    return frozenset(str(g) for part in parts.values() for g in part.matrix.genes)


def _preview_of(repair: Repair | None, parts: Mapping[Role, Part]) -> pd.DataFrame | None:
    role = next((r for r in ROLES if repair is not None and r in parts and repair.fits(r)), None)
    if repair is None or role is None:
        return None
    try:
        return repair.preview(parts[role])
    except DataError:
        return None


def _seen(part: Part) -> Seen:
    matrix, (rows, columns) = part.matrix, PREVIEW
    corner = Matrix(
        matrix.values[:rows, :columns], matrix.genes[:rows], matrix.columns[:columns]
    ).frame()
    source = part.source
    return Seen(
        source.role,
        source.name,
        source.kind,
        matrix.n_genes,
        matrix.n_columns,
        {k: v for k, v in source.options.items() if k != "repairs"},
        corner,
        recognised(part),
    )


def _funnel(
    raw: Mapping[Role, Part],
    whole: Mapping[Role, Part],
    sound: Mapping[Role, Part],
    n_genes: int | None,
) -> pd.DataFrame:
    table = pd.DataFrame(
        index=pd.Index(STAGES),
        columns=pd.Index([r for r in ROLES if r in raw], dtype=object),
        dtype="Int64",
    )
    for role in table.columns:
        table.loc["read", role] = raw[role].matrix.n_genes
        if role in whole:
            table.loc["mapped", role] = whole[role].matrix.n_genes
    if len(sound) < len(raw) or not sound:
        return table
    shared = shared_genes({role: part.matrix for role, part in sound.items()})
    table.loc["shared"] = len(shared)
    train = labelled(sound["train"]) if "train" in sound else None
    if train is None or not len(shared):
        return table
    aligned = train.matrix.take(shared)
    expressed = int(filled_rows(aligned).sum())
    full = aligned.sums() > 0
    table.loc["expressed"] = expressed
    # which ones makes no difference here
    table.loc["selected"] = (
        n_genes if n_genes and n_genes < len(shared) and full.any() else len(shared)
    )
    return table


def _types(
    sound: Mapping[Role, Part], profiles: pd.DataFrame | None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Cells per type and part; similarity of the types."""
    counts = {}
    for role in ("train", "test"):
        cells = labelled(sound[role]) if role in sound else None
        if cells is not None:
            counts[role] = cells.counts()
    if "reference" in sound:
        counts["reference"] = pd.Series(
            1, index=[str(c) for c in sound["reference"].matrix.columns]
        )
    if not counts:
        return pd.DataFrame(), pd.DataFrame()
    table = pd.DataFrame(counts).fillna(0).astype(int)
    return table, similarity(profiles) if profiles is not None else pd.DataFrame()


def _profiles(sound: Mapping[Role, Part]) -> pd.DataFrame | None:
    if "reference" in sound:
        return sound["reference"].matrix.frame()
    cells = labelled(sound["train"]) if "train" in sound else None
    return type_profiles(cells) if cells is not None else None


def _bulk(sound: Mapping[Role, Part], profiles: pd.DataFrame | None) -> tuple[pd.DataFrame, float]:
    if "bulk" not in sound or profiles is None:
        return pd.DataFrame(), float("nan")
    return bulk_against(sound["bulk"].matrix, profiles)


# -- in the reading process
# --------------------------------------------------------------------------------------------------


def examine_task(
    dataset: object, params: tuple[LoadRequest, int | None], *, progress: object
) -> Examination:
    """:func:`examine` as a task; dataset : the present one, where only the bulk is replaced; params
    : the request, the number of genes to be selected.
    """
    with watched(paths_of(params[0].files), PATIENCE):
        return examine(
            params[0],
            n_genes=params[1],
            current=dataset if isinstance(dataset, Dataset) else None,
            held=PROCESS_CACHE,
        )


def preview_task(
    dataset: object, params: tuple[LoadRequest, Repair], *, progress: object
) -> pd.DataFrame:
    """:func:`preview` as a task; params : the request and the repair."""
    with watched(paths_of(params[0].files), PATIENCE):
        return preview(*params, held=PROCESS_CACHE)


def gene_names_task(dataset: object, params: LoadRequest, *, progress: object) -> pd.DataFrame:
    """:func:`gene_names` as a task; dataset : as for :func:`examine_task`."""
    with watched(paths_of(params.files), PATIENCE):
        current = dataset if isinstance(dataset, Dataset) else None
        return gene_names(params, current=current, held=PROCESS_CACHE)
