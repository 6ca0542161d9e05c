"""A real Dask cluster on 127.0.0.1 for tests: a scheduler and workers, each a process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from tests.engine.spreading import HERE
from tests.waiting import until


class Cluster:
    """Processes of Dask; several times a minute they would say what they do, into files."""

    def __init__(
        self, folder: Path, before: str = "", protocol: str = "tcp", **environment: str
    ) -> None:
        self.folder = folder
        path = os.pathsep.join([str(HERE.parents[1]), str(HERE)])
        # Two BLAS threads each, where Dask itself would set one: ours must not depend on that.
        many = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "2")
        self._environment = {**os.environ, "PYTHONPATH": path, **many, **environment}
        self.started: list[subprocess.Popen[bytes]] = []
        file = folder / "scheduler.json"
        command = [
            "--protocol",
            protocol,
            "--host",
            "127.0.0.1",
            "--port",
            "0",
            "--no-dashboard",
            "--no-jupyter",
            "--scheduler-file",
            str(file),
        ]
        self.scheduler = self._start("dask_scheduler", command, before)
        until(lambda: file.exists() and file.read_text(encoding="utf-8").strip().endswith("}"))
        self.address: str = json.loads(file.read_text(encoding="utf-8"))["address"]

    def worker(self, *options: str, before: str = "") -> subprocess.Popen[bytes]:
        """A worker with one thread. before : code it runs first."""
        command = [
            self.address,
            "--host",
            "127.0.0.1",
            "--nthreads",
            "1",
            "--no-dashboard",
            "--local-directory",
            str(self.folder),
            *(options or ["--no-nanny"]),
        ]
        return self._start("dask_worker", command, before)

    def workers(self, count: int) -> list[subprocess.Popen[bytes]]:
        started = [self.worker() for _ in range(count)]
        self.until_there(count)
        return started

    def until_there(self, count: int) -> None:
        until(lambda: len(self.ask(lambda client: client.scheduler_info(-1)["workers"])) == count)

    def ask(self, question: Callable[[Any], Any]) -> Any:
        import distributed

        with distributed.Client(self.address, set_as_default=False) as client:
            return question(client)

    def _start(self, module: str, options: list[str], before: str = "") -> subprocess.Popen[bytes]:
        # with the tests, however they end
        ends = (
            "threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()"
        )
        code = (
            f"import os, sys, threading\n{ends}\n{before}\nsys.argv[0] = '{module}'\nfrom"
            f" distributed.cli.{module} import main\nmain()"
        )
        with (self.folder / f"{module}-{len(self.started)}.log").open("wb") as file:
            process = subprocess.Popen(
                [sys.executable, "-c", code, *options],
                env=self._environment,
                stdin=subprocess.PIPE,
                stdout=file,
                stderr=file,
                cwd=self.folder,
            )
        self.started.append(process)
        return process

    def end(self) -> None:
        for process in self.started:
            for one in [
                *(
                    psutil.Process(process.pid).children(recursive=True)
                    if process.poll() is None
                    else []
                ),
                process,
            ]:
                one.kill()
            process.communicate(timeout=30)
