"""The Upload page through the server: what is loaded, what is refused, what is asked first."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gui.app import Application
from gui.data.example import make_example
from gui.engine.model import model_bytes
from gui.engine.params import DTDParams
from gui.engine.tasks import run_dtd
from gui.sessions.cache import DCXCache
from gui.sessions.manager import LOCAL
from tests.gui.upload_page import choose, session_of
from tests.progress import no_progress

QUICK = DTDParams(genes=100, iterations=3, train_mixtures=20, test_mixtures=20)


@pytest.fixture(scope="module")
def example() -> Any:
    return make_example()


@pytest.fixture(scope="module")
def trained(example: Any) -> Any:
    return run_dtd(example.dataset, QUICK, progress=no_progress)


def cells_csv(path: Path, cells: Any) -> Path:
    """Genes x cells with the cell types in the header."""
    frame = cells.matrix.frame()
    lines = [",".join(["gene", *cells.labels])] + [
        ",".join([gene, *map(str, row)])
        for gene, row in zip(frame.index, frame.to_numpy(), strict=True)
    ]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def bulk_csv(path: Path, bulk: Any, genes: Any = None) -> Path:
    frame = bulk.matrix.frame()
    (frame if genes is None else frame.loc[genes]).to_csv(path)
    return path


def add_dtd(application: Application, session: DCXCache) -> str:
    """A real DTD run of this session's data, by the real worker."""
    assert session.dataset is not None
    job = application.submit(
        run_dtd,
        session.session_id,
        QUICK,
        kind="dtd",
        title="DTD",
        actor=LOCAL,
    )
    ended = application.runner.wait(job, 120)
    assert ended.state == "done", ended.error
    return job


@pytest.fixture
def files(tmp_path: Path, example: Any) -> tuple[Path, Path]:
    return cells_csv(tmp_path / "lung cells.csv", example.dataset.train), bulk_csv(
        tmp_path / "patients.csv", example.dataset.bulk
    )


def test_files_are_shown_before_and_loaded_together_into_a_session_named_after_them(
    tab: Any, files: tuple[Path, Path]
) -> None:
    train, bulk = files
    assert tab.get("upload-load", "disabled") is True
    choose(tab, "bulk", bulk)
    assert tab.get("upload-load", "disabled") is True
    assert "Training data, a reference or a trained model is missing" in tab.text("upload-reason")
    choose(tab, "train", train)
    assert "380 cells, 300 genes" in tab.text("upload-train-found").replace("\u00a0", " ")
    assert tab.get("upload-load", "disabled") is False
    assert session_of(tab).dataset is None
    tab.click("upload-load")
    session = session_of(tab)
    assert session.name == "lung cells"
    assert session.dataset is not None
    assert session.dataset.bulk is not None
    assert session.dataset.test is not None  # kept back from the training cells
    assert len(session.dataset.bulk.samples) == 20
    assert "upload-train" not in str(tab.get("upload-train-token", "data"))
    assert "20 bulk samples" in tab.text("upload-answer")
    default = tab.application.sessions.get_session(tab.application.sessions.default_id, actor=LOCAL)
    assert default.dataset is None


def test_an_uploaded_file_is_deleted_as_soon_as_it_is_loaded(
    tab: Any, files: tuple[Path, Path]
) -> None:
    """The session may be, or become, a protected one; a file chosen on this computer stays where it
    is (all other tests).
    """
    copies = []
    for role, path in zip(("train", "bulk"), files, strict=True):
        upload = tab.application.uploads.receive(path.name, [path.read_bytes()], limit=10**9)
        tab.set({(f"upload-{role}-token", "data"): upload.token})
        copies.append(upload.path)
    assert [copy.exists() for copy in copies] == [True, True]
    tab.click("upload-load")
    assert session_of(tab).dataset is not None
    assert [copy.exists() for copy in copies] == [False, False]


def test_a_refused_file_leaves_the_session_as_it_was(
    tab: Any, files: tuple[Path, Path], tmp_path: Path, example: Any
) -> None:
    train, _ = files
    tab.click("upload-example")
    session = session_of(tab)
    before, revision = session.dataset, session.revision
    for name, frame, word in (
        ("nan", example.dataset.bulk.matrix.frame().mask(np.eye(300, 20) > 0), "value"),
        ("mouse", example.dataset.bulk.matrix.frame().rename(index=lambda g: f"Zz{g}"), "gene"),
        ("zero", example.dataset.bulk.matrix.frame().assign(**{"Sample 03": 0.0}), "Sample 03"),
    ):
        bad = tmp_path / f"{name}.csv"
        frame.to_csv(bad)
        choose(tab, "bulk", bad)
        tab.click("upload-load")
        assert word in tab.notices[-1], name
        assert "Traceback" not in tab.notices[-1]
        assert session.dataset is before, name
        assert session.revision == revision
        tab.click("upload-bulk-remove")
    choose(tab, "bulk", files[1])  # the positive control: a good bulk is taken
    tab.click("upload-load")
    assert session.dataset is not before
    assert train.exists()


def test_a_new_bulk_keeps_the_dtd_run_and_its_results_are_computed_again(
    application: Application, open_tab: Callable[..., Any], tmp_path: Path, example: Any
) -> None:
    application.start()
    tab = open_tab(application)
    tab.click("upload-example")
    session = session_of(tab)
    run = add_dtd(application, session)
    halved = bulk_csv(tmp_path / "more.csv", example.dataset.bulk)
    pd.read_csv(halved, index_col=0).iloc[:, :7].to_csv(halved)
    choose(tab, "bulk", halved)
    tab.click("upload-load")
    assert session_of(tab) is session
    assert [r.id for r in session.runs("dtd")] == [run]
    job = application.runner.status()[-1]
    assert job.kind == "apply"
    assert application.runner.wait(job.id, 120).state == "done"
    applied = session.current("apply")
    assert applied is not None
    assert applied.result.composition.shape == (5, 7)
    assert session.outdated(applied) is None


def test_a_bulk_that_lacks_genes_of_the_run_asks_first(
    application: Application, open_tab: Callable[..., Any], tmp_path: Path, example: Any
) -> None:
    application.start()
    tab = open_tab(application)
    tab.click("upload-example")
    session = session_of(tab)
    add_dtd(application, session)
    used = session.current("dtd").result.genes  # type: ignore[union-attr]
    kept = [g for g in example.dataset.bulk.matrix.genes if g not in set(used[:3])]
    choose(tab, "bulk", bulk_csv(tmp_path / "short.csv", example.dataset.bulk, kept))
    tab.click("upload-load")
    assert tab.get("upload-confirm", "opened") is True
    assert "3 of the 100 genes of the DTD run are not in the new bulk" in tab.text("upload-ask")
    tab.click("upload-no")
    assert tab.get("upload-confirm", "opened") is False
    assert len(session.runs()) == 1
    tab.click("upload-load")
    tab.click("upload-replace")
    assert session.runs() == []
    assert session.dataset is not None
    assert session.dataset.bulk is not None
    assert session.dataset.bulk.matrix.n_genes == len(kept)


def test_other_training_data_ask_whether_to_replace(tab: Any, files: tuple[Path, Path]) -> None:
    tab.click("upload-example")
    session = session_of(tab)
    before = session.dataset
    choose(tab, "train", files[0])
    tab.click("upload-load")
    assert tab.get("upload-confirm", "opened") is True
    assert session.dataset is before
    tab.click("upload-fresh")
    assert session.dataset is before
    assert session_of(tab).name == "lung cells"


def test_a_trained_model_is_applied_to_another_bulk(
    application: Application,
    open_tab: Callable[..., Any],
    files: tuple[Path, Path],
    tmp_path: Path,
    trained: Any,
) -> None:
    application.start()
    model = tmp_path / "pbmc.dcxmodel"
    model.write_bytes(model_bytes(trained))
    tab = open_tab(application)
    choose(tab, "model", model)
    choose(tab, "bulk", files[1])
    tab.click("upload-load")
    session = session_of(tab)
    assert session.dataset is not None
    assert session.dataset.train is None
    job = application.runner.status()[-1]
    assert application.runner.wait(job.id, 120).state == "done"
    applied = session.current("apply")
    assert applied is not None
    pd.testing.assert_frame_equal(
        applied.result.composition, trained.composition["bulk"], check_names=False
    )
    tab.tick()
    tab.go("dtd")
    assert "needs data" not in tab.text("dcx-outlet")


def test_a_model_whose_genes_the_bulk_lacks_is_refused_with_their_number(
    tab: Any, tmp_path: Path, example: Any, trained: Any
) -> None:
    model = tmp_path / "pbmc.dcxmodel"
    model.write_bytes(model_bytes(trained))
    choose(tab, "model", model)
    kept = [g for g in example.dataset.bulk.matrix.genes if g not in set(trained.genes[:5])]
    choose(tab, "bulk", bulk_csv(tmp_path / "short.csv", example.dataset.bulk, kept))
    tab.click("upload-load")
    assert "lacks 5 of the 100 genes of the trained model" in tab.notices[-1]
    assert session_of(tab).dataset is None


def test_name_author_and_description_can_be_changed_and_results_stay(tab: Any) -> None:
    tab.click("upload-example")
    session = session_of(tab)
    tab.set(
        {
            ("upload-new-name", "value"): "Lung",
            ("upload-new-author", "value"): "A. Miller",
            ("upload-new-description", "value"): "Batch 2",
        }
    )
    tab.click("upload-keep-details")
    assert session.dataset is not None
    assert (session.dataset.name, session.dataset.author, session.dataset.description) == (
        "Lung",
        "A. Miller",
        "Batch 2",
    )


def test_the_form_is_kept_when_the_page_is_left(tab: Any, files: tuple[Path, Path]) -> None:
    choose(tab, "train", files[0])
    tab.set({("upload-share", "value"): "40"})
    tab.go("dtd")
    tab.go("upload")
    assert tab.get("upload-share", "value") == "40"
    assert tab.get("upload-train-token", "data") is not None


@pytest.mark.parametrize("text", ["relative/path.csv", "/no/such/file.csv", "/"])
def test_a_typed_path_that_leads_nowhere_is_said(tab: Any, text: str) -> None:
    choose(tab, "train", Path(text))
    assert tab.notices
    assert tab.get("upload-load", "disabled") is True


def test_files_of_the_command_line_wait_in_the_form(
    application: Application, open_tab: Callable[..., Any], files: tuple[Path, Path]
) -> None:
    application.inbox.open_later(list(files))
    tab = open_tab(application)
    assert "lung cells.csv" in tab.text("upload-train-name")
    assert "patients.csv" in tab.text("upload-bulk-name")


def test_the_predecessors_file_brings_all_its_parts(tab: Any, dcx_file: Path) -> None:
    choose(tab, "train", dcx_file)
    assert "training data: 349 cells" in tab.text("upload-train-found")
    assert "bulk: 12 samples" in tab.text("upload-train-found")
    # not that cells are split, or that there is no bulk
    assert tab.get("upload-reason", "children") == "Every part in the .dcx file is loaded."
    tab.click("upload-load")
    data = session_of(tab).dataset
    assert data is not None
    assert data.bulk is not None
    assert data.test is not None
    assert data.reference is not None
    assert data.author


def test_values_on_a_log_scale_are_warned_of_above_what_was_done_on_the_way_in(
    tab: Any, tmp_path: Path, example: Any
) -> None:
    cells = example.dataset.train
    log = type(cells)(
        type(cells.matrix)(np.log1p(cells.matrix.values), cells.matrix.genes, cells.matrix.columns),
        cells.labels,
        cells.obs,
    )
    choose(tab, "train", cells_csv(tmp_path / "log.csv", log))
    tab.click("upload-load")
    shown = tab.text("upload-parts")
    assert '"Alert"' in shown
    assert shown.index("look log-transformed") < shown.index('"Table"')


def test_a_session_with_data_opens_with_them_and_not_with_the_empty_state(
    application: Application, example: Any
) -> None:
    from gui.pages.upload import page
    from gui.shell.callbacks import context

    session = application.sessions.create_session("Mine", actor=LOCAL)
    assert page.layout_function is not None
    for there in (False, True):
        if there:
            session.set_dataset(example.dataset, keep_runs=False)
        laid = str(page.layout_function(context(application, (), session.session_id, "upload")))
        assert ("id='upload-empty', style={'display': 'none'}" in laid) is there
