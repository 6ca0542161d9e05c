"""``dev.py wine``: what can be said without a wine."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture
def wine(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(ROOT / "packaging"))
    import wine  # type: ignore[import-not-found]

    return wine  # type: ignore[no-any-return]


def test_every_room_of_tests_that_needs_no_screen_is_run(wine: ModuleType) -> None:
    rooms = {path.parent.name for path in (ROOT / "tests").glob("*/test_*.py")}
    assert rooms - set(wine.ROOMS) <= {"bench", "browser", "bundle", "endurance"}
    assert set(wine.ROOMS) <= rooms


@pytest.mark.skipif(os.name == "nt", reason="there is a Windows already")
def test_where_it_cannot_run_a_sentence_says_why(
    wine: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert wine.lacking()
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(sys, "platform", "win32")
    assert "Linux" in wine.lacking()


@pytest.mark.skipif(shutil.which("cc") is None, reason="needs a C compiler")
def test_the_complex_functions_compute_what_their_names_say(
    wine: ModuleType, tmp_path: Path
) -> None:
    names = ("cabs", "cexpf", "cpow", "csqrtl", "conjf", "_FCbuild", "creall", "cargf")
    assert all(map(wine.COMPLEX.fullmatch, names))
    assert not any(map(wine.COMPLEX.fullmatch, ("ceil", "cos", "cbrtf", "copysign", "cosh")))
    check = """
int main(void) {
    D z = {{3, 4}}; F one = {{1, 0}}; F i = shim__FCbuild(0, 1);
    if (shim_cabs(z) != 5 || shim_creall(z) != 3) return 1;
    if (shim_cexpf(one).v[0] < 2.71f || shim_cexpf(one).v[0] > 2.72f) return 2;
    if (shim_csqrtl(z).v[0] != 2 || shim_csqrtl(z).v[1] != 1) return 3;
    if (shim_conjf(i).v[1] != -1) return 4;
    D two = {{2, 0}}; D square = shim_cpow(z, two);
    if (square.v[0] > -6.99 || square.v[0] < -7.01 || square.v[1] < 23.99) return 5;
    if (shim_cargf(i) < 1.57f || shim_cargf(i) > 1.58f) return 6;
    return 0;
}
"""
    source = tmp_path / "check.c"
    source.write_text(wine.TYPES + "".join(map(wine._function, names)) + check)
    program = tmp_path / "check"
    subprocess.run(["cc", "-o", str(program), str(source), "-lm"], check=True)
    assert subprocess.run([str(program)], check=False).returncode == 0
