"""Large tables of plain text are read fast and in pieces, with the numbers of the exact way."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gui.data.load import FileChoice, LoadRequest, inspect_task
from gui.data.readers import chosen_table, table_text
from gui.data.readers.expression_table import read_table
from gui.data.readers.plain_columns import plain_columns
from gui.data.readers.read_cache import PartCache
from gui.data.validation.examine import examine
from gui.errors import UnreadableFile

FORMATS = ("{:.0f}", "{:.3f}", "{:.17g}", "{:.6e}", "{:+.2f}", "{:g}")


@given(
    st.lists(
        st.tuples(
            st.floats(-1e300, 1e300).filter(lambda v: v == 0 or abs(v) > 1e-290),
            st.sampled_from(FORMATS),
        ),
        min_size=1,
        max_size=40,
    )
)
def test_numbers_are_those_of_python_to_the_last_bit(
    entries: list[tuple[float, str]],
) -> None:
    written = [form.format(value) for value, form in entries]
    text = "".join(f"G{i}\t{entry}\n" for i, entry in enumerate(written))
    found = plain_columns(text, "\t", 2, 0, [1])
    assert found is not None
    names, (column,) = found
    assert names == [f"G{i}" for i in range(len(written))]
    assert column.tolist() == [float(entry) for entry in written]


@pytest.mark.parametrize("field", ["", "NA", "nan"])
def test_missing_values_are_missing(field: str) -> None:
    found = plain_columns(f'"A"\t1\t{field}\nB\t.5\t7.\n', "\t", 3, 0, [2, 1])
    assert found is not None
    assert found[0] == ["A", "B"]
    np.testing.assert_array_equal(found[1], [[np.nan, 7.0], [1.0, 0.5]])


@pytest.mark.parametrize(
    "text",
    [
        "A\t1\nB\n",  # a field less
        "A\t1\nB\t2\t3\nC\n",  # as many fields as there should be, in other lines
        "A\t1\n\nB\t2\n",
        "A\tx\n",
        "A\t1_000\n",
        "A\t1 000\n",
        "A\t1e400\n",
        "A\t\uff11\uff12\n",
        "A\t1.2.3\n",
        "A\t--1\n",
        "A\tTRUE\n",
        'A"B"\t1\n',
        "",
    ],
)
def test_what_is_not_plain_is_left_to_others(text: str) -> None:
    assert plain_columns(text, "\t", 2, 0, [1]) is None


@pytest.mark.parametrize(("decimal", "group"), [(",", ""), (".", ","), (",", "."), (".", "'")])
def test_other_marks_give_the_same_numbers_to_the_last_bit(
    decimal: str, group: str, tmp_path: Path
) -> None:
    values = np.random.default_rng(0).lognormal(3, 4, (400, 2))

    def written(value: float) -> str:
        text = np.format_float_positional(value)
        if group:
            whole, _, rest = text.partition(".")
            return f"{int(whole):,}".replace(",", group) + decimal + rest
        return text.replace(".", decimal)

    rows = [";".join([f"GENE{i}", *map(written, row)]) for i, row in enumerate(values)]
    (tmp_path / "bulk.csv").write_text("\n".join(["gene;PT01;PT02", *rows]))
    np.testing.assert_array_equal(read_table(tmp_path / "bulk.csv").values, values)


def test_whole_numbers_beyond_64_bits_stand_beside_decimal_commas(tmp_path: Path) -> None:
    rows = [f"GENE{i}\t{i},5\t{i},25" for i in range(40)]
    rows.insert(3, "BIG\t1,5\t4085067093808777968509769")
    (tmp_path / "bulk.tsv").write_text("\n".join(["gene\tPT01\tPT02", *rows]))
    assert read_table(tmp_path / "bulk.tsv").values[3].tolist() == [
        1.5,
        4085067093808777968509769.0,
    ]


TABLES = {
    "numbers": ["{i},{a:.4f},{b}"] * 30,
    "text beside": ["G{i},kinase {i},{a:.2f}"] * 30,
    "a text in one row": ["G{i},{a:.2f},{b}"] * 20 + ["G{i},low,{b}"] + ["G{i},1,2"] * 9,
    "text only later": ["G{i},,{b}"] * 20 + ["G{i},kinase,{b}"] * 10,
    "missing": ["G{i},NA,{b}"] * 15 + ["G{i},{a:.3f},"] * 15,
    "quoted": ['"G{i}","{a:.2f}",{b}'] * 30,
    "blank lines": ["G{i},{a:.2f},{b}", ""] * 15,
    "umlauts": ["Gü{i},{a:.2f},{b}"] * 30,
    "large whole numbers": ["G{i},{b}00000000000000001,{b}"] * 30,
}


@pytest.mark.parametrize("rows", TABLES.values(), ids=list(TABLES))
def test_a_large_table_is_read_as_a_small_one(
    rows: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    random = np.random.default_rng(0)
    lines = [
        row.format(i=i, a=random.lognormal(2, 2), b=random.integers(0, 90))
        for i, row in enumerate(rows)
    ]
    (tmp_path / "bulk.csv").write_text("\n".join(["gene,s1,s2", *lines]), encoding="utf-8")

    def seen() -> tuple[object, ...]:
        try:
            table = read_table(tmp_path / "bulk.csv")
        except Exception as error:  # noqa: BLE001  the same one is expected from both
            return type(error), str(error)
        return table.values.tobytes(), table.genes, table.columns, table.notes, table.texts

    small = seen()
    monkeypatch.setattr(table_text, "LARGE", 0)
    monkeypatch.setattr(table_text, "PIECE", 12)
    assert seen() == small


def test_the_line_with_other_columns_is_named_in_a_large_table_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [f"G{i},{i}" for i in range(300)]
    lines[200] += ",1"
    (tmp_path / "bulk.csv").write_text("\n".join(["gene,s1", *lines]))
    with pytest.raises(UnreadableFile) as small:
        read_table(tmp_path / "bulk.csv")
    monkeypatch.setattr(table_text, "LARGE", 0)
    monkeypatch.setattr(table_text, "PIECE", 12)
    with pytest.raises(UnreadableFile, match="line 202") as large:
        read_table(tmp_path / "bulk.csv")
    assert str(large.value) == str(small.value)


def test_a_large_table_takes_little_more_than_its_text_and_its_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table_text, "LARGE", 1_000_000)
    monkeypatch.setattr(table_text, "PIECE", 100_000)
    values = np.random.default_rng(0).lognormal(2, 2, (3000, 300))
    frame = pd.DataFrame(values, [f"GENE{i}" for i in range(3000)], [f"S{i}" for i in range(300)])
    frame.to_csv(tmp_path / "bulk.csv", float_format="%.3f")
    size = (tmp_path / "bulk.csv").stat().st_size
    read_table(tmp_path / "bulk.csv")
    tracemalloc.start()
    try:
        table = read_table(tmp_path / "bulk.csv")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert table.values.shape == (3000, 300)
    assert peak < 1.3 * (size + 2 * table.values.nbytes)


def test_choosing_a_table_parses_it_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "bulk.csv"
    rows = "\n".join(f"GENE{i},{i},{2 * i + 1}" for i in range(40))
    path.write_text(f"gene,s1,s2\n{rows}\n")
    parsed: list[Path] = []

    def counted(at: Path, *given: object, **named: object) -> object:
        parsed.append(at)
        return read_table(at, *given, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(chosen_table, "read_table", counted)
    request = LoadRequest(files={"bulk": FileChoice(path=path, name="bulk.csv")})
    inspect_task(None, (path, "bulk", "bulk.csv"), progress=None)
    examine(request, held=PartCache())
    assert parsed == [path]
    examine(request, held=PartCache())  # it was used up
    assert parsed == [path, path]
    inspect_task(None, (path, "bulk", "bulk.csv"), progress=None)
    path.write_text(f"gene,s1,s2,s3\n{rows}\n".replace("1\n", "1,5\n"))
    examine(request, held=PartCache())
    assert len(parsed) == 4
