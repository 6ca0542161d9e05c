"""Files of one sample each become one table, or are refused with which and why."""

from __future__ import annotations

import gzip
import io
import lzma
import tarfile
import tracemalloc
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from gui.data.readers import archive
from gui.data.readers.file_kind import file_kind, read_from
from gui.data.readers.options import FileChoice
from gui.data.readers.part import Part
from gui.data.readers.read import read_all
from gui.data.readers.sample_names import sample_names
from gui.errors import DataError, UnreadableFile
from gui.knowledge.human_genes import human_genes

GENES = sorted({s for s in human_genes().by_ensembl.values() if s.isalpha()})[:300:3]
IDS = {symbol: gene for gene, symbol in human_genes().by_ensembl.items()}
N = len(GENES)
COUNTS = np.random.default_rng(5).integers(0, 900, (N, 3))
SAMPLES = ["alpha", "beta", "gamma"]


def htseq(k: int) -> str:
    lines = [f"{g}\t{v}" for g, v in zip(GENES, COUNTS[:, k], strict=True)]
    return "\n".join([*lines, "__no_feature\t7", "__ambiguous\t1", ""])


def star(k: int, strand: int = 1) -> str:
    lines = [f"N_{w}\t1\t2\t3" for w in ("unmapped", "multimapping", "noFeature", "ambiguous")]
    for g, v in zip(GENES, COUNTS[:, k], strict=True):
        both = (v, v // 90) if strand == 1 else (v // 90, v)
        lines.append(f"{IDS[g]}\t{sum(both)}\t{both[0]}\t{both[1]}")
    return "\n".join(lines) + "\n"


def rsem(k: int) -> str:
    lines = ["gene_id\ttranscript_id(s)\tlength\teffective_length\texpected_count\tTPM\tFPKM"]
    for g, v in zip(GENES, COUNTS[:, k], strict=True):
        lines.append(f"{IDS[g]}\tENST0000000000{v % 9}\t900\t800.5\t{v * 2}\t{v}\t{v / 3:.2f}")
    return "\n".join(lines) + "\n"


def gdc(k: int) -> str:
    lines = ["# gene-model: GENCODE v36"]
    lines += ["gene_id\tgene_name\tgene_type\tunstranded\ttpm_unstranded\tfpkm_unstranded"]
    lines += [f"N_{w}\t\t\t9\t\t" for w in ("unmapped", "multimapping", "noFeature", "ambiguous")]
    for g, v in zip(GENES, COUNTS[:, k], strict=True):
        lines.append(f"{IDS[g]}.4\t{g}\tprotein_coding\t{v * 3}\t{v}\t{v / 2}")
    return "\n".join(lines) + "\n"


def kallisto_genes(k: int) -> str:
    lines = ["target_id\tlength\teff_length\test_counts\ttpm"]
    lines += [f"{g}\t900\t700\t{v * 2}\t{v}" for g, v in zip(GENES, COUNTS[:, k], strict=True)]
    return "\n".join(lines) + "\n"


KINDS: dict[str, tuple[Callable[[int], str], str]] = {
    "htseq": (htseq, "{}.htseq.counts"),
    "STAR": (star, "{}_ReadsPerGene.out.tab"),
    "RSEM": (rsem, "{}.genes.results"),
    "GDC": (gdc, "{}.rna_seq.augmented_star_gene_counts.tsv"),
    "kallisto": (kallisto_genes, "{}/abundance.tsv"),
}


def tarred(files: dict[str, bytes], mode: str) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as archive:  # type: ignore[call-overload]
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def part_of(path: Path, more: list[Path] | None = None) -> Part:
    choice = FileChoice(path=path, more=tuple(more or ()))
    return read_all({"bulk": choice})[0]["bulk"]


def written(folder: Path, kind: str) -> list[Path]:
    make, pattern = KINDS[kind]
    paths = [folder / pattern.format(sample) for sample in SAMPLES]
    for k, path in enumerate(paths):
        path.parent.mkdir(exist_ok=True)
        path.write_text(make(k))
    return paths


@pytest.mark.parametrize("kind", KINDS)
def test_a_folder_of_files_becomes_one_table(kind: str, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    paths = written(folder, kind)
    assert file_kind(folder, "run") == "table"
    part = part_of(folder)
    assert list(part.matrix.columns) == SAMPLES
    named = GENES if kind in ("htseq", "GDC", "kallisto") else [IDS[g] for g in GENES]
    assert list(part.matrix.genes) == named
    np.testing.assert_array_equal(np.asarray(part.matrix.values), COUNTS)
    assert "3 files of one sample each" in part.traits["files-joined"]
    assert set(read_from(FileChoice(path=folder))) == set(paths)


@pytest.mark.parametrize("mode", ["w", "w:gz"])
def test_an_archive_of_packed_files_as_geo_and_gdc_give_them(mode: str, tmp_path: Path) -> None:
    files = {"MANIFEST.txt": b"id\tname\n"}
    for k, sample in enumerate(SAMPLES):
        files[f"u{k}/{sample}.htseq.counts.gz"] = gzip.compress(htseq(k).encode())
        files[f"u{k}/annotations.txt"] = b"a\tb\n"
    path = tmp_path / "GSE7_RAW.tar"
    path.write_bytes(tarred(files, mode))
    part = part_of(path)
    assert list(part.matrix.columns) == SAMPLES
    np.testing.assert_array_equal(np.asarray(part.matrix.values), COUNTS)


def test_files_chosen_together_in_another_order_of_genes(tmp_path: Path) -> None:
    paths = written(tmp_path, "htseq")
    lines = paths[1].read_text().splitlines()
    paths[1].write_text("\n".join(reversed(lines)) + "\n")
    part = part_of(paths[0], paths[1:])
    np.testing.assert_array_equal(np.asarray(part.matrix.values), COUNTS)


def test_genes_that_a_file_lacks_are_left_out_and_said(tmp_path: Path) -> None:
    paths = written(tmp_path, "htseq")
    lines = paths[2].read_text().splitlines()
    paths[2].write_text("\n".join(lines[2:]) + "\n")
    part = part_of(paths[0], paths[1:])
    assert list(part.matrix.genes) == GENES[2:]
    assert "2 genes" in part.traits["genes-lacking"]
    assert "gamma.htseq.counts" in part.traits["genes-lacking"]


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("odd.genes.results", rsem(0), "another kind"),
        ("other.htseq.counts", "".join(f"ENSG{i:011}\t{i}\n" for i in range(1, 200)), "genes"),
        ("wide.tsv", "gene\ta\tb\n" + "".join(f"{g}\t1\t2\n" for g in GENES), "2 columns"),
        ("broken.htseq.counts", "only text\n", "cannot be read"),
    ],
)
def test_a_file_that_does_not_belong_is_named_with_the_reason(
    name: str, content: str, why: str, tmp_path: Path
) -> None:
    paths = written(tmp_path, "htseq")
    (tmp_path / name).write_text(content)
    with pytest.raises(DataError, match=why) as refused:
        part_of(paths[0], [*paths[1:], tmp_path / name])
    assert name in str(refused.value)


def test_libraries_of_different_strands_are_not_mixed(tmp_path: Path) -> None:
    paths = written(tmp_path, "STAR")
    paths[1].write_text(star(1, strand=2))
    with pytest.raises(UnreadableFile, match="stranded_first"):
        part_of(paths[0], paths[1:])


@pytest.mark.parametrize(
    ("files", "names"),
    [
        (["run7_A12_L1.counts.txt", "run7_B03_L1.counts.txt"], ["A12", "B03"]),
        (["S1.genes.results", "S2.genes.results"], ["S1", "S2"]),
        (["p/1/quant.sf", "p/2/quant.sf"], ["1", "2"]),
        (["GSM1_x1.txt.gz", "GSM2_x2.txt.gz"], ["GSM1_x1", "GSM2_x2"]),
        (["study_001.txt", "study_002.txt"], ["study_001", "study_002"]),
    ],
)
def test_samples_are_called_by_what_tells_their_files_apart(
    files: list[str], names: list[str]
) -> None:
    assert sample_names(files) == names


def test_memory_grows_with_the_table_and_not_with_the_texts(tmp_path: Path) -> None:
    genes = GENES * 10
    text = "\n".join(f"{g}_{i}\t{i}" for i, g in enumerate(genes)) + "\n"
    paths = [tmp_path / f"s{k}x.txt" for k in range(60)]
    for path in paths:
        path.write_text(text)
    part_of(paths[0], paths[1:3])  # what is imported and looked up once

    def most(files: int) -> int:
        tracemalloc.start()
        assert part_of(paths[0], paths[1:files]).matrix.n_columns == files
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return peak

    assert most(60) - most(20) < 4 * 8 * len(genes) * 40


def two_columns(values: np.ndarray, genes: list[str], header: str = "") -> str:
    lines = [f"{g}\t{v}" for g, v in zip(genes, values, strict=True)]
    return "\n".join([*([f"gene\t{header}"] if header else []), *lines]) + "\n"


@pytest.mark.parametrize(
    ("names", "headers"),
    [
        (("a.txt", "b.txt"), ("TPM", "FPKM")),
        (("a.txt", "b.txt"), ("a_TPM", "b_counts")),
        (("u1.htseq.counts", "u2.FPKM.txt"), ("", "")),
    ],
)
def test_files_of_different_measures_are_not_put_together(
    names: tuple[str, str], headers: tuple[str, str], tmp_path: Path
) -> None:
    paths = [tmp_path / name for name in names]
    for k, path in enumerate(paths):
        path.write_text(two_columns(COUNTS[:, k], GENES, headers[k]))
    with pytest.raises(UnreadableFile, match=r"(?i)fpkm|counts"):
        part_of(paths[0], paths[1:])


def test_genes_that_the_first_file_lacks_are_said(tmp_path: Path) -> None:
    paths = written(tmp_path, "htseq")
    lines = paths[0].read_text().splitlines()
    paths[0].write_text("\n".join(lines[3:]) + "\n")
    part = part_of(paths[0], paths[1:])
    assert list(part.matrix.genes) == GENES[3:]
    assert "3 genes" in part.traits["genes-lacking"]
    assert "alpha.htseq.counts" in part.traits["genes-lacking"]


def test_a_metastasis_is_read_and_what_is_no_table_is_named(tmp_path: Path) -> None:
    files = {f"PT1_meta_{k}.txt": htseq(k).encode() for k in range(3)} | {"multiqc.txt": b"a\tb\n"}
    path = tmp_path / "all.tar"
    path.write_bytes(tarred(files, "w"))
    part = part_of(path)
    assert part.matrix.n_columns == 3
    assert any("multiqc.txt" in note for note in part.source.notes)


def test_barcodes_stay_whole() -> None:
    files = ["TCGA-A1-A0SB-01A.htseq.counts", "TCGA-A1-A0SD-01A.htseq.counts"]
    assert sample_names(files) == ["TCGA-A1-A0SB-01A", "TCGA-A1-A0SD-01A"]


def test_a_name_in_a_tar_takes_no_memory_beyond_a_limit(tmp_path: Path) -> None:
    header = tarfile.TarInfo("x")
    header.type, header.size = tarfile.GNUTYPE_LONGNAME, 50 << 20
    path = tmp_path / "bomb.tar.gz"
    path.write_bytes(gzip.compress(header.tobuf(tarfile.GNU_FORMAT) + bytes(50 << 20), 1))
    tracemalloc.start()
    with pytest.raises(UnreadableFile):
        part_of(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 20 << 20


def test_of_several_files_that_are_no_tables_none_is_ignored(tmp_path: Path) -> None:
    first = tmp_path / "matrix.mtx"
    first.write_text("%%MatrixMarket matrix coordinate integer general\n1 1 1\n1 1 3\n")
    others = [tmp_path / "barcodes.tsv", tmp_path / "features.tsv"]
    for other in others:
        other.write_text("A\n")
    assert part_of(first, others).matrix.values.sum() == 3  # the three of one folder are a matrix
    others.append(tmp_path / "more.tsv")
    others[-1].write_text("A\n")
    with pytest.raises(UnreadableFile, match="together"):
        part_of(first, others)


def test_an_archive_is_listed_once_and_again_when_it_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, seen = tmp_path / "all.tar", list[str]()
    listed = archive._listed
    monkeypatch.setattr(archive, "_listed", lambda opened: seen.append("") or listed(opened))
    for names in (["a.txt"], ["a.txt", "b.txt"]):
        path.write_bytes(tarred({name: htseq(0).encode() for name in names}, "w"))
        seen.clear()
        assert [archive.names_in(path, "all.tar") for _ in range(3)] == [names] * 3
        assert len(seen) == 1


@pytest.mark.parametrize("packed", [False, True])
def test_gdcs_sample_sheet_names_the_samples(packed: bool, tmp_path: Path) -> None:
    codes = [f"{k}a3f0c1e-77b2-4d1a" for k in range(3)]
    folder = tmp_path / "gdc"
    folder.mkdir()
    for k, code in enumerate(codes):
        rows = "".join(f"G{i}\t{i * (k + 1)}\n" for i in range(1, 60))
        (folder / f"{code}.htseq.counts").write_text(rows)
    lines = ["File ID\tFile Name\tCase ID\tSample ID"]
    lines += [f"u{k}\t{c}.htseq.counts\tTCGA-{k}\tTCGA-{k}-01A" for k, c in enumerate(codes)]
    (folder / "gdc_sample_sheet.2026-01-01.tsv").write_text("\n".join(lines) + "\n")
    path = folder
    if packed:
        path = tmp_path / "gdc.tar.gz"
        with tarfile.open(path, "w:gz") as archive:
            for each in sorted(folder.iterdir(), reverse=True):
                archive.add(each, each.name)
    matrix = part_of(path).matrix
    frame = matrix.frame()
    assert sorted(frame.columns) == [f"TCGA-{k}-01A" for k in range(3)]
    assert [frame.loc["G5", f"TCGA-{k}-01A"] for k in range(3)] == [5, 10, 15]


def test_a_gene_in_other_numbers_of_rows_is_left_out(tmp_path: Path) -> None:
    """Of one row here and two there it cannot be told which is which."""
    genes = [f"G{i}" for i in range(60)]
    first, second = tmp_path / "A.counts", tmp_path / "B.counts"
    first.write_text("".join(f"{g}\t{i}\n" for i, g in enumerate([*genes, "G7"])))
    second.write_text("".join(f"{g}\t{i}\n" for i, g in enumerate(reversed(genes))))
    matrix = part_of(first, [second]).matrix
    assert "G7" not in set(matrix.genes)
    assert matrix.frame().loc["G8"].tolist() == [8, 51]


def test_xz_with_a_huge_dictionary_takes_no_memory(tmp_path: Path) -> None:
    text = "".join(f"GENE{i:05d}\t{i}\n" for i in range(60)).encode()
    for name, size in (("fine", 1 << 20), ("huge", 1 << 30)):
        filters = [{"id": lzma.FILTER_LZMA2, "preset": 1, "dict_size": 1 << 12}]
        data = bytearray(lzma.compress(text, filters=filters))
        if name == "huge":  # the size of the dictionary is one byte of the block's header
            at = data.index(b"\x21\x01")
            data[at + 2] = 40 - 3
            data[12 + 4 * (data[12] + 1) - 4 : 12 + 4 * (data[12] + 1)] = zlib.crc32(
                bytes(data[12 : 12 + 4 * (data[12] + 1) - 4])
            ).to_bytes(4, "little")
        path = tmp_path / f"{name}.counts.xz"
        path.write_bytes(bytes(data))
        if name == "fine":
            assert part_of(path).matrix.n_genes == 60
            continue
        tracemalloc.start()
        with pytest.raises(UnreadableFile):
            part_of(path)
        assert tracemalloc.get_traced_memory()[1] < size
        tracemalloc.stop()


def featurecounts(k: int) -> str:
    lines = ["# Program:featureCounts v2.0.3; Command:featureCounts -a genes.gtf"]
    lines += [f"Geneid\tChr\tStart\tEnd\tStrand\tLength\t/data/{SAMPLES[k]}.sorted.bam"]
    for i, (g, v) in enumerate(zip(GENES, COUNTS[:, k], strict=True)):
        at = f"chr1;chr1\t{100 * i + 1};{100 * i + 50}\t{100 * i + 20};{100 * i + 90}\t+;+"
        lines.append(f"{g}\t{at}\t{900 + 7 * i}\t{v}")
    return "\n".join(lines) + "\n"


def stringtie(k: int) -> str:
    lines = ["Gene ID\tGene Name\tReference\tStrand\tStart\tEnd\tCoverage\tFPKM\tTPM"]
    for i, (g, v) in enumerate(zip(GENES, COUNTS[:, k], strict=True)):
        at = f"chr{i % 22 + 1}\t+\t{1000 * i + 11}\t{1000 * i + 900}"
        lines.append(f"{IDS[g]}\t{g}\t{at}\t{v / 7:.4f}\t{v / 3:.4f}\t{v}")
    return "\n".join(lines) + "\n"


def of_a_script(k: int) -> str:
    """With a column whose name says nothing."""
    weights = np.random.default_rng(8).integers(200, 9000, N)
    rows = zip(GENES, weights, COUNTS[:, k], strict=True)
    return "gene\tw\treads\n" + "".join(f"{g}\t{w}\t{v}\n" for g, w, v in rows)


@pytest.mark.parametrize(
    ("make", "left_out"),
    [(featurecounts, "Length"), (stringtie, "Start and End"), (of_a_script, "in all files: w.")],
)
def test_columns_that_are_the_same_in_all_files_are_no_samples(
    make: Callable[[int], str], left_out: str, tmp_path: Path
) -> None:
    for k, sample in enumerate(SAMPLES):
        (tmp_path / f"{sample}.txt").write_text(make(k))
    part = part_of(tmp_path)
    assert list(part.matrix.columns) == SAMPLES
    assert list(part.matrix.genes) == GENES
    np.testing.assert_array_equal(np.asarray(part.matrix.values), COUNTS)
    assert left_out in part.traits["columns-left-out"]


@pytest.mark.parametrize("which", ["a control in all files", "other weights in the third"])
def test_a_control_in_all_files_is_not_left_out(which: str, tmp_path: Path) -> None:
    for k, sample in enumerate(SAMPLES):
        text = of_a_script(k)
        if which == "a control in all files":
            near = COUNTS[:, :2].sum(axis=1)
            rows = zip(GENES, near, near * 2 + COUNTS[:, k] // 9, strict=True)
            text = "gene\tctrl\treads\n" + "".join(f"{g}\t{w}\t{v}\n" for g, w, v in rows)
        elif k == 2:
            head, _, rest = text.partition("\n")
            text = f"{head}\n{rest.replace(chr(9), chr(9) + '1', 1)}"
        (tmp_path / f"{sample}.txt").write_text(text)
    with pytest.raises(UnreadableFile, match="a table of 2 columns"):
        part_of(tmp_path)


@pytest.mark.parametrize("way", ["HTSeq in a folder", "kallisto in an archive"])
def test_five_hundred_files_become_one_table(way: str, tmp_path: Path) -> None:
    values = np.random.default_rng(9).integers(0, 900, (40, 500))
    place = tmp_path / "run"
    if way == "HTSeq in a folder":
        place.mkdir()
        for k in range(500):
            lines = [f"{g}\t{v}" for g, v in zip(GENES, values[:, k], strict=False)]
            text = "\n".join([*lines, "__no_feature\t7", ""])
            (place / f"BRCA_P{k:03d}_rep1.htseq.counts").write_text(text)
    else:
        files = {}
        for k in range(500):
            lines = ["target_id\tlength\teff_length\test_counts\ttpm"]
            rows = zip(GENES, values[:, k], strict=False)
            lines += [f"{g}\t900\t700\t{2 * v}\t{v}" for g, v in rows]
            files[f"out/P{k:03d}/abundance.tsv"] = "\n".join(lines).encode()
        place = tmp_path / "run.tar.gz"
        place.write_bytes(tarred(files, "w:gz"))
    part = part_of(place)
    assert list(part.matrix.columns) == [f"P{k:03d}" for k in range(500)]
    assert list(part.matrix.genes) == GENES[:40]
    np.testing.assert_array_equal(np.asarray(part.matrix.values), values)
