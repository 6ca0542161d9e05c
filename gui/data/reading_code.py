"""Code in R and Python that reads a saved table."""

from __future__ import annotations

import json


def python_code(name: str, *, tidy: bool, about: bool) -> str:
    """For pandas: the table as on screen, and the tidy one where there is it.

    Parameters
    ----------
    name
        Of the file, without suffix.
    about
        The file begins with a line that says what it holds.
    """
    skip = ", skiprows=1" if about else ""
    lines = [
        "import pandas as pd",
        "",
        "# As on screen. CSV (semicolon, decimal comma): add sep=';', decimal=','. TSV: sep='\\t'",
        f"table = pd.read_csv({_text(name + '.csv')}{skip}, index_col=0)",
        f"# the same as Excel: pd.read_excel({_text(name + '.xlsx')}, index_col=0)",
    ]
    if tidy:
        lines += [
            "",
            "# Tidy: one row per sample and cell type",
            f"tidy = pd.read_csv({_text(name + '-tidy.csv')}{skip})",
            'wide = tidy.pivot(index="sample", columns="cell_type", values="fraction")',
        ]
    return "\n".join(lines) + "\n"


def r_code(name: str, *, tidy: bool, about: bool) -> str:
    """The same for R, without packages."""
    skip = ", skip = 1" if about else ""
    encoding = ', check.names = FALSE, fileEncoding = "UTF-8-BOM"'
    lines = [
        "# As on screen. CSV (semicolon, decimal comma): read.csv2. TSV: read.delim",
        f"table <- read.csv({_text(name + '.csv')}{skip}, row.names = 1{encoding})",
        f"# the same as Excel: readxl::read_excel({_text(name + '.xlsx')})",
    ]
    if tidy:
        lines += [
            "",
            "# Tidy: one row per sample and cell type",
            f"tidy <- read.csv({_text(name + '-tidy.csv')}{skip}{encoding})",
            "wide <- xtabs(fraction ~ sample + cell_type, data = tidy)",
        ]
    return "\n".join(lines) + "\n"


def _text(text: str) -> str:
    """In quotes: what JSON writes both languages read."""
    return json.dumps(text, ensure_ascii=False)
