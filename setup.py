"""All metadata is in pyproject.toml.

Here is only what it cannot say: resources/ travels inside the wheel as gui/_resources.
"""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py


class BuildWithResources(build_py):
    """Copies resources/ beside the code; an editable installation finds the folder at the top of
    the source tree instead.
    """

    def run(self) -> None:
        super().run()
        if not self.editable_mode:
            shutil.copytree(
                "resources", Path(self.build_lib, "gui", "_resources"), dirs_exist_ok=True
            )


setup(cmdclass={"build_py": BuildWithResources})
