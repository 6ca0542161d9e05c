"""Repairs as a user makes them who takes every proposal."""

from __future__ import annotations

from gui.data.load import LoadRequest
from gui.data.readers.read_cache import Held
from gui.data.validation.examine import examine


def repaired(request: LoadRequest, *, rounds: int = 6) -> LoadRequest:
    """The request with every proposed repair added, again and again until nothing more is
    proposed.
    """
    held = Held()
    for _ in range(rounds):
        more = [r for r in examine(request, held=held).proposed if r not in request.repairs]
        if not more:
            break
        request = request.model_copy(update={"repairs": (*request.repairs, *more)})
    return request
