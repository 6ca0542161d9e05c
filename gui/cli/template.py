"""``analyze --template FILE``: parameters that the pages saved, below the options that are given.

Imports nothing heavy before its functions are called.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from gui.errors import InvalidParameter

if TYPE_CHECKING:
    from gui.engine.params import ADTDParams

_OF_OPTIONS = {
    "genes": ("genes",),
    "iterations": ("iterations",),
    "mixtures": ("train_mixtures", "test_mixtures"),
    "cells": ("train_cells", "test_cells"),
    "seed": ("seed",),
    "stop_early": ("stop_early",),
}
"""Option -> the parameters of DTD that it sets."""


def settle(options: argparse.Namespace) -> None:
    """Read the template and fill in the options that were not given.

    Raises
    ------
    UnreadableFile
        It is no template.
    InvalidParameter
        It asks for a model or a dataset that ``analyze`` does not have.
    """
    from gui.sessions.templates import read_template_file

    found = read_template_file(options.template)
    if found.dtd is not None:
        naive = options.model == "naive"
        # samples that are given are estimated, and nothing is learned that could be stopped
        changed = {"run_on_bulk": True} | ({"stop_early": False} if naive else {})
        found = replace(found, dtd=found.dtd.model_copy(update=changed))
    options.parameters = found
    if found.dtd is not None:
        chosen = found.dtd.model_dump()
        for option, names in _OF_OPTIONS.items():
            if option not in options.given:
                value = chosen[names[0]]
                setattr(options, option, 0 if value is None else value)
    adtd = found.adtd
    if adtd is None or options.model not in (None, f"deconomix+{adtd.model}"):
        return  # another model was asked for: what the template says of ADTD has no effect
    if adtd.model == "custom":
        raise InvalidParameter(
            "The template asks for a custom model, which analyze does not have.",
            advice="Say which model with --model.",
        )
    if adtd.part != "bulk":
        raise InvalidParameter(
            "The template analyses pseudobulks by ADTD; analyze does so with bulk samples.",
            advice="Choose the bulk samples on the page ADTD and save the template again, or say"
            " which model with --model.",
        )
    if options.model is None:
        options.model = f"deconomix+{adtd.model}"
    if "lambda2" not in options.given and adtd.regulated:
        options.lambda2 = repr(adtd.lambda2)
    if "refine" not in options.given:
        options.refine = adtd.refine


def dtd_values(options: argparse.Namespace) -> dict[str, Any]:
    """The parameters of DTD that the template sets and no option does."""
    if options.parameters is None or options.parameters.dtd is None:
        return {}
    given = {n for option in options.given for n in _OF_OPTIONS.get(option, ())}
    return {k: v for k, v in options.parameters.dtd.model_dump().items() if k not in given}


def adtd_values(options: argparse.Namespace) -> dict[str, Any]:
    """The parameters of ADTD that the template sets beside model, λ₂ and refinement."""
    if options.parameters is None or options.parameters.adtd is None:
        return {}
    if options.model != f"deconomix+{options.parameters.adtd.model}":
        return {}
    values: dict[str, Any] = options.parameters.adtd.model_dump()
    return values


def record(options: argparse.Namespace, adtd: ADTDParams | None) -> dict[str, Any]:
    """For run.json: the template's name, and every parameter as it was used."""
    if options.parameters is None:
        return {}
    return {
        "template": {
            "name": options.parameters.name,
            "dtd": dtd_values(options),
            "adtd": None if adtd is None else {name: getattr(adtd, name) for name in adtd.used()},
        }
    }
