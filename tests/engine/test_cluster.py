"""Independent tasks on a real Dask cluster: a scheduler and workers on 127.0.0.1, some of which get
lost.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from gui.engine import compute_settings
from gui.engine.compute_settings import ComputeSettings
from gui.engine.parallel import cluster, parallel_map, remote
from gui.engine.parallel.calls import ResultCollector, decode_error
from gui.engine.parallel.serialized_value import SerializedValue
from gui.errors import EngineFailed, JobCancelled, JobError
from tests.engine.dask_cluster import Cluster
from tests.engine.spreading import HERE, same, tasks
from tests.waiting import until

pytest.importorskip("distributed")
dask = pytest.importorskip("dask")
pytestmark = pytest.mark.usefixtures("left_as_found")


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[..., Cluster]]:
    made: list[Cluster] = []

    def new(**environment: str) -> Cluster:
        folder = tmp_path / f"cluster{len(made)}"
        folder.mkdir()
        made.append(Cluster(folder, **environment))
        return made[-1]

    yield new
    for one in made:
        one.end()


def use(found: Cluster | str, engine: str = "fast") -> None:
    compute_settings.set_compute_settings(
        ComputeSettings(engine=engine, scheduler=found if isinstance(found, str) else found.address)
    )


# ------------------------------------------------------------------- the same, and what is reported


def test_numbers_on_the_cluster_are_those_of_this_computer_to_the_bit(pair: Cluster) -> None:
    found: list[Any] = []
    layouts: list[str] = []
    for chosen in (
        ComputeSettings(cores=1),
        ComputeSettings(cores=2),
        ComputeSettings(scheduler=pair.address),
    ):
        compute_settings.set_compute_settings(chosen)
        found.append(parallel_map(tasks.numbers, range(6), shared=tasks.data()))
        layouts += [
            str(layout) for layout in parallel_map(tasks.layout, range(2), shared=tasks.data())
        ]
    assert same(found[0], found[1])
    assert same(found[0], found[2])
    assert len(set(layouts)) == 1


def test_both_workers_compute_with_one_blas_thread_and_reports_arrive_in_their_order(
    pair: Cluster,
) -> None:
    use(pair)
    pair.ask(lambda client: client.run(tasks.two_threads))
    # where nobody intervenes
    assert 2 in pair.ask(
        lambda client: client.submit(tasks.threads, None, None, step=None).result()
    )
    assert {n for found in parallel_map(tasks.threads, range(4)) for n in found} == {1}
    seen: list[tuple[int, Any]] = []
    found = parallel_map(
        tasks.slow_where, range(6), on_step=lambda index, value: seen.append((index, value))
    )
    assert [item for item, _ in found] == list(range(6))
    assert len({pid for _, pid in found} - {os.getpid()}) == 2
    assert sorted(seen) == [(n, ("seen", n)) for n in range(6)]
    seen.clear()
    parallel_map(
        tasks.numbers,
        [5, 6],
        shared=tasks.data(),
        on_step=lambda index, value: seen.append((index, value)),
    )
    assert {index: [value for i, value in seen if i == index] for index in range(2)} == {
        index: list(range(6)) for index in range(2)
    }


def test_reports_arrive_while_the_tasks_run(pair: Cluster, tmp_path: Path) -> None:
    use(pair)
    counts: set[int] = set()

    def on_step(index: int, value: Any) -> None:
        counts.add(index)
        if counts == {0, 1}:
            (tmp_path / "go on").touch()  # else they never end

    assert [
        item for item, _ in parallel_map(tasks.patient, range(2), shared=tmp_path, on_step=on_step)
    ] == [0, 1]


def test_one_item_is_computed_here_and_nobody_is_asked() -> None:
    use("tcp://127.0.0.1:1")
    assert parallel_map(tasks.where, ["only"]) == [("only", os.getpid())]


def test_a_task_that_spreads_itself_does_so_in_its_worker_with_the_callers_engine(
    pair: Cluster,
) -> None:
    use(pair, engine="stock")
    for pid, inner, engine in parallel_map(tasks.spread_again, range(2)):
        assert set(inner) == {pid} != {os.getpid()}
        assert engine == "stock"


def test_errors_come_back_as_themselves_from_the_cluster(pair: Cluster, tmp_path: Path) -> None:
    use(pair)
    with pytest.raises(EngineFailed, match="Mueller") as ours:
        parallel_map(tasks.fail, ["well", "engine", "well"])
    assert ours.value.advice == "Use fewer genes."
    with pytest.raises(MemoryError):
        parallel_map(tasks.fail, ["memory", "well"])
    with pytest.raises(np.linalg.LinAlgError, match="Singular"):
        parallel_map(tasks.fail, ["algebra", "well"])
    with pytest.raises(JobError, match="cannot be handed to another process"):
        parallel_map(tasks.fail, ["well", "no data"])
    first, second, third = parallel_map(tasks.fail, ["well", "engine", "fine"], keep_errors=True)
    assert (first, type(second), third) == ("well", EngineFailed, "fine")
    with pytest.raises(ValueError, match="read-only"):
        parallel_map(tasks.spoil, range(2), shared=tasks.data())
    assert "Mueller" not in "".join(
        path.read_text(encoding="utf-8") for path in pair.folder.glob("*.log")
    )


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl to make a certificate")
def test_cluster_with_certificates_computes_the_same_and_lets_in_nobody_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "1",
        "-subj",
        "/CN=dask",
        "-keyout",
        str(key),
        "-out",
        str(certificate),
    ]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    tls: dict[str, Any] = {"ca-file": str(certificate)}
    tls |= {
        role: {"cert": str(certificate), "key": str(key)}
        for role in ("scheduler", "worker", "client")
    }
    environment = {
        f"DASK_DISTRIBUTED__COMM__TLS__{role.upper()}__{what.upper()}": tls[role][what]
        for role in ("scheduler", "worker")
        for what in tls[role]
    }
    found = Cluster(
        tmp_path,
        protocol="tls",
        DASK_DISTRIBUTED__COMM__TLS__CA_FILE=str(certificate),
        **environment,
    )
    try:
        with dask.config.set(
            {f"distributed.comm.tls.{name}": value for name, value in tls.items()}
        ):
            found.workers(2)
            assert found.address.startswith("tls://")
            use(found)
            results = parallel_map(tasks.numbers, range(3), shared=tasks.data())
        monkeypatch.setattr(cluster, "CONNECT", 2.0)
        assert str(refusal(found)) == f"No Dask scheduler answers at {found.address}."
    finally:
        found.end()
    compute_settings.set_compute_settings(ComputeSettings(cores=1))
    assert same(results, parallel_map(tasks.numbers, range(3), shared=tasks.data()))


# ------------------------------------------------------------------------------------------- cancel


def test_cancelling_ends_running_tasks_at_their_next_step_and_the_rest_never_begins(
    pair: Cluster, tmp_path: Path
) -> None:
    use(pair)
    pids: set[int] = set()

    def on_step(index: int, value: Any) -> None:
        pids.add(value)
        if len(pids) == 2:
            raise JobCancelled("The step was cancelled.")

    with pytest.raises(JobCancelled):
        parallel_map(tasks.steps_for_ever, range(6), shared=tmp_path, on_step=on_step)
    until(lambda: len(list(tmp_path.iterdir())) == 2)
    until(lambda: not pair.ask(lambda client: client.run_on_scheduler(tasks_known)))
    assert len(parallel_map(tasks.where, range(3))) == 3
    assert len(list(tmp_path.iterdir())) == 2


def tasks_known(dask_scheduler: Any) -> list[str]:
    return [str(key) for key in dask_scheduler.tasks]


def test_tasks_end_when_the_caller_was_killed(pair: Cluster, tmp_path: Path) -> None:
    script = tmp_path / "caller.py"
    script.write_text(
        f"""
import pathlib
import spread_tasks as tasks
from gui.engine import compute_settings
from gui.engine.parallel import parallel_map

if __name__ == "__main__":
    compute_settings.set_compute_settings(compute_settings.ComputeSettings(scheduler="{pair.address}"))
    parallel_map(tasks.steps_for_ever, range(2), shared=pathlib.Path(r"{tmp_path}"), on_step=lambda index, value: print(index, flush=True))
""",
        encoding="utf-8",
    )
    path = os.pathsep.join([str(HERE.parents[1]), str(HERE)])
    with subprocess.Popen(
        [sys.executable, str(script)],
        env={**os.environ, "PYTHONPATH": path},
        stdout=subprocess.PIPE,
        text=True,
    ) as caller:
        assert caller.stdout is not None
        seen = set[str]()
        while len(seen) < 2:
            seen.add(caller.stdout.readline())
        caller.kill()
    until(lambda: len(list(tmp_path.glob("cancelled-*"))) == 2)


def test_check_is_asked_while_the_scheduler_does_not_answer() -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:  # takes the connection and says nothing
        use(f"tcp://127.0.0.1:{deaf.getsockname()[1]}")
        asked = 0

        def check() -> None:
            nonlocal asked
            asked += 1
            if asked == 5:
                raise JobCancelled("The step was cancelled.")

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(cluster, "CLOSING", 0.1)
            with pytest.raises(JobCancelled):
                parallel_map(tasks.where, range(2), check=check)


# ------------------------------------------------------------------------------------- lost workers


@pytest.mark.parametrize("lost", ["one of two", "all, and another one comes"])
def test_numbers_are_right_when_workers_are_lost_in_the_middle(
    make: Callable[..., Cluster], tmp_path: Path, lost: str
) -> None:
    found = make()
    workers = found.workers(2)
    use(found)
    killed: list[int] = []

    def on_step(index: int, value: tuple[int, int]) -> None:
        pid, n = value
        if pid not in killed and n >= 8 and len(killed) < (1 if lost == "one of two" else 2):
            killed.append(pid)
            psutil.Process(pid).kill()
            if len(killed) == 2:
                found.worker()
        elif len(killed) == (1 if lost == "one of two" else 2) and pid not in killed:
            (tmp_path / "go on").touch()

    spreading = parallel_map(tasks.patient, range(5), shared=tmp_path, on_step=on_step)
    assert set(killed) <= {worker.pid for worker in workers}
    compute_settings.set_compute_settings(ComputeSettings(cores=1))
    assert spreading == parallel_map(tasks.patient, range(5), shared=tmp_path)


def test_item_that_always_kills_its_worker_fails_and_those_that_waited_there_do_not(
    make: Callable[..., Cluster], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "TRIES", 1)  # each costs a start of a worker
    found = make(DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES="0")
    found.worker("--nanny")  # starts a worker again that has died
    found.until_there(1)
    use(found)
    put = ResultCollector.put

    def put_and_say(collector: ResultCollector, index: int, result: Any) -> None:
        put(collector, index, result)
        (tmp_path / f"arrived{index}").touch()

    monkeypatch.setattr(ResultCollector, "put", put_and_say)
    results = parallel_map(
        tasks.die_after_the_first_arrived, range(3), shared=tmp_path, keep_errors=True
    )
    assert [results[0], results[2]] == [0, 20]
    assert isinstance(results[1], EngineFailed)
    assert "several times" in str(results[1])


def test_a_scheduler_that_is_lost_in_the_middle_is_an_error(
    make: Callable[..., Cluster], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"CONNECT": 3.0, "LOST": 1.0, "LOOK": 0.1}.items():
        monkeypatch.setattr(cluster, name, value)
    found = make()
    found.workers(1)
    use(found)
    with pytest.raises(
        JobError, match=r"connection to the cluster at tcp://127\.0\.0\.1:.* was lost"
    ):
        parallel_map(
            tasks.steps_for_ever,
            range(2),
            shared=tmp_path,
            on_step=lambda index, value: found.scheduler.kill(),
        )


# --------------------------------------------------------------------- clusters that cannot be used


def refusal(found: Cluster | str) -> JobError:
    use(found)
    with pytest.raises(JobError) as caught:
        parallel_map(tasks.where, range(2))
    assert caught.value.advice
    assert "scheduler from [compute]" in caught.value.advice
    return caught.value


def test_a_scheduler_that_is_not_there_is_a_sentence_after_a_bounded_wait(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cluster, "CONNECT", 1.0)
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"tcp://127.0.0.1:{server.getsockname()[1]}"
        assert str(refusal(address)) == f"No Dask scheduler answers at {address}."
    assert str(refusal(address)) == f"No Dask scheduler answers at {address}."


def test_a_cluster_without_workers_is_a_sentence_also_in_the_middle(
    make: Callable[..., Cluster], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"WORKERS": 0.5, "LOST": 0.5, "LOOK": 0.1}.items():
        monkeypatch.setattr(cluster, name, value)
    found = make()
    assert str(refusal(found)) == f"The cluster at {found.address} has no workers."
    [worker] = found.workers(1)
    with pytest.raises(JobError, match="has no workers"):
        parallel_map(
            tasks.steps_for_ever,
            range(2),
            shared=tmp_path,
            on_step=lambda index, value: worker.kill(),
        )


def test_workers_with_other_versions_or_without_this_program_are_refused(
    make: Callable[..., Cluster],
) -> None:
    found = make()
    there = found.workers(1)
    found.worker(
        before=(
            "import importlib.metadata as m; old = m.version; m.version = lambda name: '1.13.0' if"
            " name == 'scipy' else old(name)"
        )
    )
    found.until_there(2)
    here = remote.versions()["scipy"]
    assert f"so the numbers would differ: scipy 1.13.0 instead of {here} (tcp://127.0.0.1:" in str(
        refusal(found)
    )
    for process in [*there, found.started[-1]]:
        process.kill()
    found.until_there(0)
    found.worker(before=WITHOUT)
    found.until_there(1)
    assert "This program is not installed on a computer of the cluster (tcp://127.0.0.1:" in str(
        refusal(found)
    )


WITHOUT = "sys.modules['gui'] = None"


def test_a_scheduler_without_this_program_is_refused(tmp_path: Path) -> None:
    found = Cluster(tmp_path, before=WITHOUT)
    try:
        found.workers(1)
        assert (
            str(refusal(found))
            == f"This program is not installed on a computer of the cluster ({found.address})."
        )
    finally:
        found.end()


def test_a_worker_that_comes_later_with_other_versions_computes_nothing() -> None:
    order = remote.TaskSpec(
        "key",
        0,
        "topic",
        tasks.__name__,
        "where",
        SerializedValue.of(1),
        {**remote.versions(), "numpy": "1.0"},
        "fast",
    )
    status, crossed, reports = remote.perform(
        SerializedValue.of(None), SerializedValue.of(order)
    ).open()
    assert (status, reports) == ("failed", [])
    assert "instead of 1.0 (one of its workers)" in str(decode_error(crossed))


def test_without_dask_the_setting_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    assert "needs the package distributed" in str(refusal("tcp://127.0.0.1:1"))
