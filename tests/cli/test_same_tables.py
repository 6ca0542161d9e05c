"""``analyze`` with groups, survival and gene sets at once: the tables are those of the pages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gui.analyses.gene_params import GenesParams
from gui.analyses.groups import GroupsParams
from gui.analyses.registry import ANALYSES
from gui.analyses.survival_params import SurvivalParams
from gui.cli import analyses, analyze
from gui.pages.genes import base as genes_page
from gui.pages.groups import base as groups_page
from gui.pages.survival import base as survival_page
from gui.pages.survival import columns as survival_columns

TYPES, GENES, PATIENTS = ("B cells", "T cells", "NK cells"), 60, 36


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    """Cells, bulk, patients and gene sets, as little work as can be."""
    random = np.random.default_rng(8)
    names = [f"G{i:02d}" for i in range(GENES)]
    profiles = random.lognormal(2, 1.2, (GENES, len(TYPES)))
    fractions = random.dirichlet([2, 2, 2], PATIENTS).T
    patients = [f"P{i:02d}" for i in range(PATIENTS)]
    tables = {
        "train": pd.DataFrame(
            random.poisson(np.repeat(profiles, 10, axis=1)) + 1,
            names,
            [t for t in TYPES for _ in range(10)],
        ),
        "bulk": pd.DataFrame(profiles @ fractions, names, patients).round(3),
        "clinical": pd.DataFrame(
            {
                "months": random.exponential(20 / np.exp(7 * (fractions[0] - 0.33))).round(2),
                "OS": (random.random(PATIENTS) < 0.8).astype(int),
                "grade": random.choice(["low", "medium", "high"], PATIENTS),
            },
            pd.Index(patients, name="patient"),
        ),
    }
    found = {name: tmp_path / f"{name}.csv" for name in tables}
    for name, table in tables.items():
        table.to_csv(found[name])
    found["sets"] = tmp_path / "mine.gmt"
    found["sets"].write_text("FIRST\tmine\t" + "\t".join(names[:15]) + "\n", "utf-8")
    return found


def of_pages(folder: str, sets: tuple[str, ...]) -> dict[str, Any]:
    """What the forms of the pages give, filled as the options of the command below."""
    groups, survival, genes = GroupsParams(), SurvivalParams(), GenesParams()
    chosen = {"column": "grade", "groups": ["low", "medium", "high"], "cuts": "", "subject": None}
    plain = {name: getattr(groups, name) for name in groups_page.form.names}
    columns = dict.fromkeys(survival_columns.NAMES) | {
        "time_zero": "diagnosis",
        "compare": ["grade"],
        "order": ["low", "medium", "high"],
    }
    of_form = {name: getattr(survival, name) for name in survival_page.form.names}
    return {
        "groups": groups_page.parse({**plain, **chosen, "covariates": []}),
        "survival": survival_columns.parse(of_form | {"cut": "median"}, columns),
        "genes": genes_page.form.parse(
            {name: getattr(genes, name) for name in genes_page.form.names},
            sets=sets,
            markers=genes.markers,
            folder=folder,
        ),
    }


def test_the_tables_are_those_of_the_pages(
    files: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[Any, dict[str, Any]]] = []
    done = analyses.analyse

    def recorded(dataset: Any, requests: dict[str, Any], **given: Any) -> Any:
        asked.append((dataset, requests | {"given": given}))
        return done(dataset, requests, **given)

    monkeypatch.setattr(analyses, "analyse", recorded)
    out = tmp_path / "out"
    command = ["--train", files["train"], "--bulk", files["bulk"], "--clinical", files["clinical"]]
    command += ["--genes", 0, "--mixtures", 20, "--cells", 10, "--iterations", 20]
    command += ["--model", "deconomix+h,r", "--lambda2", 1e-6]
    command += ["--groups", "grade", "--group-order", "low,medium,high"]
    command += ["--survival", "months,OS", "--time-zero", "diagnosis", "--survival-cut", "median"]
    command += ["--survival-by", "grade", "--survival-order", "low,medium,high"]
    command += ["--enrich", f"hallmark,{files['sets']}", "--out", out]
    assert analyze.analyze(list(map(str, command))) == 0
    dataset, found = asked[0]
    given = found.pop("given")
    genes = found["genes"]
    pages = of_pages(genes.folder, genes.sets)
    assert found == pages
    runs = {name: given[name] for name in ("adtd", "bootstrap")}
    for kind, params in pages.items():
        result: Any = ANALYSES[kind].task(dataset, params, progress=lambda *_, **__: None, **runs)
        tables = result.tables()
        assert tables
        for name, table in tables.items():
            shown = tmp_path / f"{name}.csv"
            table.to_csv(shown)
            mine, theirs = pd.read_csv(shown), pd.read_csv(out / f"{name}.csv")
            pd.testing.assert_frame_equal(mine, theirs, check_exact=False, rtol=1e-9)
    tests = pd.read_csv(out / "survival_log_rank.csv").set_index("variable")
    assert np.isfinite(tests.loc["grade", "trend_p"])
