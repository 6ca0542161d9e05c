"""`python3 dev.py bench [--quick] [NAME...]`: how long things take, as a table.

Without a name: the engine.

A bench is a file bench_<name>.py here with `bench(quick: bool)`, a generator of (what, seconds,
remark) or of whole lines. It measures; it asserts nothing.
"""

from __future__ import annotations

import argparse
import importlib.util
import platform
from pathlib import Path
from typing import Any


def load(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"cannot load {path}")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def main() -> None:
    files = {
        path.stem.removeprefix("bench_"): path
        for path in sorted(Path(__file__).parent.glob("bench_*.py"))
    }
    cli = argparse.ArgumentParser(prog="dev.py bench", description="How long things take.")
    cli.add_argument("--quick", action="store_true", help="small sizes, one repetition")
    cli.add_argument(
        "names", nargs="*", metavar="NAME", help=f"which ones (default: engine): {', '.join(files)}"
    )
    options = cli.parse_args()
    if unknown := set(options.names) - set(files):
        cli.error(f"there is no bench {', '.join(sorted(unknown))}; there are {', '.join(files)}")
    print(f"Python {platform.python_version()}, {platform.system()} {platform.machine()}")
    for name in options.names or ["engine"]:
        print(f"\n{name}")
        for line in load(files[name]).bench(options.quick):
            print(
                line if isinstance(line, str) else f"  {line[0]:<50} {line[1]:9.3f} s  {line[2]}",
                flush=True,
            )


if __name__ == "__main__":
    main()
