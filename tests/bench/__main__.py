"""`python3 dev.py bench [--quick] [NAME...]`: how long things take, as a table.

Without a name: the engine. `truth` compares every method with counted cells; it takes `--data
FOLDER` (again for more sets), `--seed N`, `--html FILE` and `--plugins FOLDER` (their methods
too).

A bench is a file bench_<name>.py here with `bench(quick: bool)`, a generator of (what, seconds,
remark) or of whole lines. It measures; it asserts nothing.
"""

from __future__ import annotations

import argparse
import importlib.util
import platform
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
if str(ROOT) not in sys.path:  # benches import each other and fixtures as tests.…
    sys.path.insert(0, str(ROOT))


def load(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"cannot load {path}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module  # where dataclasses look their module up
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
    truth = cli.add_argument_group("truth")
    truth.add_argument("--data", action="append", default=[], type=Path, metavar="FOLDER")
    truth.add_argument("--html", type=Path, metavar="FILE", help="also write all tables there")
    truth.add_argument("--seed", type=int, default=1, metavar="N")
    truth.add_argument(
        "--plugins", type=Path, metavar="FOLDER", help="also the methods of these plug-ins"
    )
    options = cli.parse_args()
    if unknown := set(options.names) - set(files):
        cli.error(f"there is no bench {', '.join(sorted(unknown))}; there are {', '.join(files)}")
    print(f"Python {platform.python_version()}, {platform.system()} {platform.machine()}")
    for name in options.names or ["engine"]:
        print(f"\n{name}")
        more = {name: getattr(options, name) for name in ("data", "html", "seed", "plugins")}
        for line in load(files[name]).bench(options.quick, **(more if name == "truth" else {})):
            print(
                line if isinstance(line, str) else f"  {line[0]:<50} {line[1]:9.3f} s  {line[2]}",
                flush=True,
            )


if __name__ == "__main__":
    main()
