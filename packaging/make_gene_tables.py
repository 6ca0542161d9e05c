"""Make the gene tables in resources/knowledge from NCBI Gene, Ensembl and GENCODE.

    python packaging/make_gene_tables.py IDS ALIASES ORG_HS_EG_SQLITE

IDS, ALIASES : ``gene_ids_human.tsv.gz`` (ensembl_id, entrez_id, symbol) and
``gene_aliases_human.tsv.gz`` (alias, symbol: those with one meaning)
ORG_HS_EG_SQLITE : ``org.Hs.eg.sqlite`` of the Debian package r-bioc-org.hs.eg.db, for the aliases
with several meanings

The output is the same for the same input: rows are sorted, and gzip stores no time.
"""

from __future__ import annotations

import gzip
import sqlite3
import sys
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

OUT = Path(__file__).resolve().parent.parent / "resources" / "knowledge"
# Entrez id -> symbol of NCBI and of HGNC, which Ensembl and nearly every data set use
MITOCHONDRIAL = {
    "4508": ("ATP6", "MT-ATP6"),
    "4509": ("ATP8", "MT-ATP8"),
    "4512": ("COX1", "MT-CO1"),
    "4513": ("COX2", "MT-CO2"),
    "4514": ("COX3", "MT-CO3"),
    "4519": ("CYTB", "MT-CYB"),
    "4535": ("ND1", "MT-ND1"),
    "4536": ("ND2", "MT-ND2"),
    "4537": ("ND3", "MT-ND3"),
    "4538": ("ND4", "MT-ND4"),
    "4539": ("ND4L", "MT-ND4L"),
    "4540": ("ND5", "MT-ND5"),
    "4541": ("ND6", "MT-ND6"),
}


def read(path: Path) -> list[list[str]]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return [line.rstrip("\n").split("\t") for line in file][1:]


def write(name: str, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    text = "".join("\t".join(row) + "\n" for row in [header, *sorted(rows)])
    (OUT / name).write_bytes(gzip.compress(text.encode(), 9, mtime=0))


def main(ids: Path, aliases: Path, sqlite: Path) -> None:
    genes = [(e, n, MITOCHONDRIAL[n][1] if n in MITOCHONDRIAL else s) for e, n, s in read(ids)]
    symbols = {symbol for _, _, symbol in genes}
    meanings: dict[str, set[str]] = defaultdict(set)
    for alias, symbol in read(aliases):
        meanings[alias].add(symbol)
    query = "select alias_symbol, symbol, gene_id from alias join gene_info using (_id)"
    query += " join genes using (_id)"
    every: dict[str, set[str]] = defaultdict(set)
    for alias, symbol, gene in sqlite3.connect(sqlite).execute(query):
        every[alias].add(MITOCHONDRIAL[gene][1] if gene in MITOCHONDRIAL else symbol)
    for alias, found in every.items():
        if len(found) > 1:
            meanings[alias] |= found
    for ncbi, hgnc in MITOCHONDRIAL.values():
        meanings[ncbi].add(hgnc)
    # a current symbol that is also an alias is listed with all its meanings
    for alias, found in meanings.items():
        if alias in symbols:
            found.add(alias)
    rows = [
        (alias, " ".join(sorted(found))) for alias, found in meanings.items() if found != {alias}
    ]
    write("human_genes.tsv.gz", ("ensembl_id", "entrez_id", "symbol"), genes)
    write("human_aliases.tsv.gz", ("alias", "symbols"), rows)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
