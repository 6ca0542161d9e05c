"""Tables of transcripts: refused with the way out, and summed to genes by a tx2gene table."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gui.cli.check import check
from gui.cli.repairs import by_table, load_repaired
from gui.data.load import FileChoice, LoadRequest
from gui.data.readers.read import read_all
from gui.errors import BadValues, InvalidParameter, NoCommonGenes
from gui.knowledge.human_genes import human_genes
from gui.knowledge.identifiers import holds_transcripts, without_version

GENES = sorted({s for s in human_genes().by_ensembl.values() if s.isalpha()})[:240:4]
IDS = {symbol: gene for gene, symbol in human_genes().by_ensembl.items()}
RANDOM = np.random.default_rng(17)
CELLS = RANDOM.poisson(RANDOM.lognormal(3, 1, (len(GENES), 12))) + 1
OF = [(f"ENST{20_000 + i:011d}.{i % 3 + 1}", gene) for i, gene in enumerate(GENES * 2)]
"""Transcript -> gene: two transcripts each."""
COUNTS = RANDOM.poisson(40, (len(OF), 3)) + 1
SUMS = COUNTS[: len(GENES)] + COUNTS[len(GENES) :]


def lines(*rows: tuple[object, ...]) -> str:
    return "".join("\t".join(map(str, row)) + "\n" for row in rows)


def salmon() -> str:
    rows = [(t, 900, 700.5, v, 2 * v) for (t, _), v in zip(OF, COUNTS[:, 0], strict=True)]
    return lines(("Name", "Length", "EffectiveLength", "TPM", "NumReads"), *rows)


def kallisto() -> str:
    rows = [(t, 900, 700.5, 2 * v, v) for (t, _), v in zip(OF, COUNTS[:, 0], strict=True)]
    return lines(("target_id", "length", "eff_length", "est_counts", "tpm"), *rows)


def table(versions: bool = True, values: np.ndarray = COUNTS) -> str:
    names = [t if versions else t.split(".")[0] for t, _ in OF]
    rows = [(name, *row) for name, row in zip(names, values, strict=True)]
    return lines(("transcript", "S1", "S2", "S3"), *rows)


def gencode() -> str:
    rows = [
        (f"{t}|{IDS[g]}.5|OTTHUMG00000000961.2|-|{g}-201|{g}|900|", 900, 700.5, v, 2 * v)
        for (t, g), v in zip(OF, COUNTS[:, 0], strict=True)
    ]
    return lines(("Name", "Length", "EffectiveLength", "TPM", "NumReads"), *rows)


FILES = {
    "quant.sf": salmon(),
    "abundance.tsv": kallisto(),
    "isoforms.tsv": table(),
    "plain.txt": table(versions=False),
}
MAPS = {
    "tx2gene.csv": "TXNAME,GENEID\n" + "".join(f"{t},{IDS[g]}\n" for t, g in OF),
    "salmon_tx2gene.tsv": lines(*((t, IDS[g], g) for t, g in OF)),  # nf-core: without a header
    "tx2gene.tsv": lines(
        ("transcript_id", "gene_id", "gene_name"), *((t, IDS[g], g) for t, g in OF)
    ),
    "biomart.txt": "Transcript stable ID,Gene name\n"
    + "".join(f"{t.split('.')[0]},{g}\n" for t, g in OF),
}
SYMBOLS = ("tx2gene.tsv", "biomart.txt")
"""The maps that lead to symbols, as the cells have them."""


@pytest.fixture
def cells(tmp_path: Path) -> Path:
    path = tmp_path / "cells.tsv"
    rows = [(gene, *row) for gene, row in zip(GENES, CELLS, strict=True)]
    path.write_text(lines(("gene", *["B"] * 6, *["T"] * 6), *rows))
    return path


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text)
    return path


def request_for(cells: Path, bulk: Path) -> LoadRequest:
    return LoadRequest(files={"train": FileChoice(path=cells), "bulk": FileChoice(path=bulk)})


@pytest.mark.parametrize("repaired", [False, True], ids=["as-read", "repaired"])
@pytest.mark.parametrize("name", FILES)
def test_transcripts_are_refused_with_the_table_to_give(
    name: str, repaired: bool, cells: Path, tmp_path: Path
) -> None:
    request = request_for(cells, write(tmp_path, name, FILES[name]))
    with pytest.raises(NoCommonGenes, match="bulk are transcript IDs, such as ENST") as refused:
        load_repaired(request, proposed=repaired)
    assert "tx2gene" in str(refused.value.advice)
    assert "--map TABLE" in str(refused.value.advice)
    assert "--repair" not in str(refused.value.advice), "it would not help"


@pytest.mark.parametrize("mapping", MAPS)
@pytest.mark.parametrize("name", FILES)
def test_a_tx2gene_table_sums_transcripts_to_genes(
    name: str, mapping: str, cells: Path, tmp_path: Path
) -> None:
    request = request_for(cells, write(tmp_path, name, FILES[name]))
    given = str(write(tmp_path, mapping, MAPS[mapping]))
    dataset, repairs = load_repaired(request, tables=[given], proposed=mapping not in SYMBOLS)
    assert [each.kind for each in repairs][:2] == ["map_genes", "merge_genes"]
    assert dataset.bulk is not None
    found = dataset.bulk.matrix.frame().loc[GENES].to_numpy()
    np.testing.assert_allclose(found, SUMS[:, : found.shape[1]])
    notes = " ".join(next(s for s in dataset.sources if s.role == "bulk").notes)
    assert f"{len(OF)} of {len(OF)} genes renamed" in notes
    assert "summed up" in notes


def test_a_folder_of_salmon_files_is_summed_for_each_sample(cells: Path, tmp_path: Path) -> None:
    folder = tmp_path / "salmon"
    for k, sample in enumerate(("alpha", "beta", "gamma")):
        (folder / sample).mkdir(parents=True)
        rows = [(t, 900, 700.5, v, 2 * v) for (t, _), v in zip(OF, COUNTS[:, k], strict=True)]
        header = ("Name", "Length", "EffectiveLength", "TPM", "NumReads")
        write(folder / sample, "quant.sf", lines(header, *rows))
    given = str(write(tmp_path, "tx2gene.tsv", MAPS["tx2gene.tsv"]))
    dataset, _ = load_repaired(request_for(cells, folder), tables=[given])
    assert dataset.bulk is not None
    assert list(dataset.bulk.samples) == ["alpha", "beta", "gamma"]
    np.testing.assert_allclose(dataset.bulk.matrix.frame().loc[GENES].to_numpy(), SUMS)


def test_where_the_table_leads_to_other_names_the_refusal_names_repair(
    cells: Path, tmp_path: Path
) -> None:
    request = request_for(cells, write(tmp_path, "quant.sf", salmon()))
    given = str(write(tmp_path, "tx2gene.csv", MAPS["tx2gene.csv"]))
    with pytest.raises(NoCommonGenes, match="Ensembl IDs") as refused:
        load_repaired(request, tables=[given])
    assert "--repair" in str(refused.value.advice)


def test_logarithms_of_transcripts_are_never_summed(cells: Path, tmp_path: Path) -> None:
    logs = np.log2(RANDOM.lognormal(4, 2, COUNTS.shape) + 1).round(4)
    request = request_for(cells, write(tmp_path, "log.tsv", table(values=logs)))
    given = [str(write(tmp_path, "tx2gene.tsv", MAPS["tx2gene.tsv"]))]
    with pytest.raises(BadValues, match="look log-transformed"):
        load_repaired(request, tables=given)
    dataset, _ = load_repaired(request, tables=given, proposed=True)
    linear = 2**logs - 1
    assert dataset.bulk is not None
    np.testing.assert_allclose(
        dataset.bulk.matrix.frame().loc[GENES].to_numpy(),
        linear[: len(GENES)] + linear[len(GENES) :],
        rtol=1e-9,
    )


def test_files_that_have_genes_already_are_not_turned_into_transcripts(
    cells: Path, tmp_path: Path
) -> None:
    rows = [(f"{t}", IDS[g], *row) for (t, g), row in zip(OF, COUNTS, strict=True)]
    merged = lines(("tx", "gene_id", "S1", "S2", "S3"), *rows)  # nf-core's merged transcripts
    for name, text in (("merged.tsv", merged), ("quant.sf", gencode())):
        request = request_for(cells, write(tmp_path, name, text))
        parts = read_all(request.files)[0]
        for mapping, content in MAPS.items():
            with pytest.raises(InvalidParameter, match="no file has these") as refused:
                by_table(str(write(tmp_path, mapping, content)), parts)
            assert "Leave --map out" in str(refused.value.advice)
        dataset, _ = load_repaired(request, proposed=True)
        assert dataset.bulk is not None
        found = dataset.bulk.matrix.frame().loc[GENES].to_numpy()
        np.testing.assert_allclose(found, SUMS[:, : found.shape[1]])


def test_check_says_of_a_single_file_that_it_holds_transcripts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    check([str(write(tmp_path, "quant.sf", salmon())), "--role", "bulk"])
    printed = " ".join(capsys.readouterr().out.split())
    assert "The names of quant.sf are transcript IDs, such as ENST00000020000.1" in printed
    assert "tx2gene" in printed
    check([str(write(tmp_path, "genes.sf", gencode())), "--role", "bulk"])
    assert "transcript IDs" not in capsys.readouterr().out, "their names hold the genes"


def test_transcripts_are_known_by_their_form() -> None:
    assert holds_transcripts(["ENST00000456328.2", "NM_000014.6", "", "GAPDH"])
    assert not holds_transcripts(["ENSG00000223972", "GAPDH", "ENST00000456328"])
    assert not holds_transcripts([])
    assert without_version("ENST00000456328.2") == "ENST00000456328"
    assert without_version("NM_000014.6") == "NM_000014"
    assert without_version("HLA.A") == "HLA.A"
    assert without_version("ENSG00000223972.5_PAR_Y") == "ENSG00000223972_PAR_Y"
