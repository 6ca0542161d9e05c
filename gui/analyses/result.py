"""What every result of an analysis offers, so that report and command line write any of them."""

from __future__ import annotations

from typing import Protocol

import pandas as pd


class AnalysisResult(Protocol):
    """A frozen dataclass of frames, arrays, numbers and text, with these methods.

    Attributes
    ----------
    notes
        Sentences on what was assumed and left out: the warnings.
    """

    @property
    def notes(self) -> tuple[str, ...]: ...

    def tables(self) -> dict[str, pd.DataFrame]:
        """Name of the file, without suffix -> table, all digits; the first is the main one."""
        ...

    def citations(self) -> tuple[str, ...]:
        """What to cite, keys of :data:`gui.citations.CITATIONS`, the most important first."""
        ...

    def fits(self) -> bool:
        """Whether its parts fit together: asked before it is kept and after it is read."""
        ...
