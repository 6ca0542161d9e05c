"""Parameters of the engine's steps: frozen, validated, keyword-only, self-describing.

Each field carries its title, its unit, the tooltip in the user's words and whether it stands under
"Advanced"; the pages build their forms from these fields, the command line its help.
"""

from __future__ import annotations

import math
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from gui.errors import InvalidParameter
from gui.text import parse_number, shorten

Part = Literal["train", "test", "bulk"]


def param(
    default: Any, title: str, tip: str, *, unit: str = "", advanced: bool = False, **limits: Any
) -> Any:
    """Declare a field with its title, tooltip and limits."""
    return Field(
        default,
        title=title,
        description=tip,
        json_schema_extra={"unit": unit, "advanced": advanced},
        **limits,
    )


class Params(BaseModel):
    """Base of all parameters, of built-in tasks and of plug-ins."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="strings")

    def used(self) -> list[str]:
        """Return the names of the fields that affect a run with these values, in order.

        The others have no effect on it.
        """
        return list(type(self).model_fields)

    @classmethod
    def parse(cls, **values: Any) -> Self:
        """Return the parameters; InvalidParameter names the field and the allowed values.

        A number may be text as a person typed it, with a decimal comma too.
        """
        try:
            return cls(**{name: cls._read(name, value) for name, value in values.items()})
        except ValidationError as error:
            first = error.errors()[0]
            name = str(first["loc"][0]) if first["loc"] else ""
            if name in cls.model_fields:
                title = cls.model_fields[name].title or name
                shown = first.get("input")
                what = "is empty" if shown in (None, "") else f"is {shown!r}"
                raise InvalidParameter(f"{title} {what}; allowed: {allowed(cls, name)}.") from None
            raise InvalidParameter(str(first["msg"]).removeprefix("Value error, ")) from None

    @classmethod
    def _read(cls, name: str, value: Any) -> Any:
        """A typed number as a number; anything else as it is."""
        field = cls.model_fields.get(name)
        if field is None or not isinstance(value, str) or not value.strip():
            return value
        kinds = getattr(field.annotation, "__args__", (field.annotation,))
        if float not in kinds or str in kinds:
            return value
        try:
            return parse_number(value)
        except InvalidParameter as error:
            raise InvalidParameter(
                f"{field.title or name} is “{shorten(value, 20)}”; allowed: {allowed(cls, name)}.",
                advice=error.advice,
            ) from None


def allowed(cls: type[Params], name: str) -> str:
    """What the field accepts, in words: "a whole number from 1 to 1000"."""
    field = cls.model_fields[name]
    annotation = field.annotation
    options = getattr(annotation, "__args__", ())
    if getattr(annotation, "__origin__", None) is Literal:
        return " or ".join(map(str, options))
    kinds = [t for t in options or (annotation,) if t is not type(None)]
    noun = {int: "a whole number", float: "a number", bool: "yes or no", str: "text"}.get(
        kinds[0],  # type: ignore[arg-type]
        "a value",
    )
    words = {"ge": "from {}", "gt": "above {}", "le": "to {}", "lt": "below {}"}
    found = {key: getattr(m, key) for m in field.metadata for key in words if hasattr(m, key)}
    text = " ".join(
        [noun, *(words[key].format(f"{found[key]:g}") for key in words if key in found)]
    )
    return f"{text}, or nothing" if type(None) in options else text


class DTDParams(Params):
    """Digital Tissue Deconvolution: gene weights learned on pseudobulks.

    doi 10.1089/cmb.2019.0469
    """

    genes: int | None = param(
        1000,
        "Number of genes",
        "The genes whose mean expression differs most between the cell types are used. Leave empty"
        " to use every common gene; time grows steeply with it.",
        unit="genes",
        ge=2,
    )
    iterations: int = param(
        1000,
        "Iterations",
        "Steps of the optimiser that learns the gene weights. The loss curve shows whether more"
        " would help.",
        ge=1,
        le=100_000,
    )
    run_on_bulk: bool = param(
        True, "Run on bulk", "Also estimate the composition of your bulk samples."
    )
    stop_early: bool = param(
        False,
        "Stop early",
        "Keep the gene weights of the iteration that does best on pseudobulks of training cells"
        " that are held back (a fifth of each type). The numbers then differ from those published.",
        advanced=True,
    )
    train_mixtures: int = param(
        1000,
        "Training pseudobulks",
        "Pseudobulks of the training cells, on which the gene weights are learned.",
        unit="mixtures",
        ge=3,
        le=100_000,
        advanced=True,
    )
    train_cells: int = param(
        100,
        "Cells per training pseudobulk",
        "Single cells drawn for each training pseudobulk.",
        unit="cells",
        ge=1,
        le=100_000,
        advanced=True,
    )
    test_mixtures: int = param(
        1000,
        "Test pseudobulks",
        "Pseudobulks of the test cells, on which estimated and true composition are compared.",
        unit="mixtures",
        ge=3,
        le=100_000,
        advanced=True,
    )
    test_cells: int = param(
        100,
        "Cells per test pseudobulk",
        "Single cells drawn for each test pseudobulk.",
        unit="cells",
        ge=1,
        le=100_000,
        advanced=True,
    )
    seed: int = param(
        1,
        "Seed",
        "Random seed of the training pseudobulks; the test pseudobulks use the next number."
        " The same"
        " seed gives the same result.",
        ge=0,
        le=2**32 - 2,
        advanced=True,
    )


Model = Literal["h", "h,r", "custom"]
GeneWeights = Literal["dtd", "inverse"]
MODEL_NAMES: dict[str, str] = {
    "naive": "Naive",
    "deconomix": "Deconomix",
    "h": "Hidden background",
    "h,r": "Hidden background + gene regulation",
    "custom": "Custom",
}
ARTICLE_NAMES: dict[str, str] = {"h": "Deconomix+h", "h,r": "Deconomix+h,r"}
"""What the article (doi 10.1101/2024.11.28.625894) calls the models of ADTD."""
WEIGHT_NAMES: dict[str, str] = {"dtd": "from DTD", "inverse": "1 / mean(Y)²"}


class ADTDParams(Params):
    """Adaptive Digital Tissue Deconvolution: hidden background and gene regulation.

    doi 10.1093/bioinformatics/btae263
    """

    model: Model = param(
        "h",
        "Model",
        "Hidden background: estimates what is in the samples but not in the reference. Gene"
        " regulation: also estimates how each cell type expresses its genes differently.",
    )
    part: Part = param(
        "bulk",
        "Dataset",
        "Which mixtures are deconvolved: your bulk samples, or the pseudobulks of known"
        " composition.",
    )
    max_iterations: int = param(
        1000,
        "Maximum iterations",
        "The run ends earlier when the loss no longer falls.",
        ge=1,
        le=100_000,
    )
    lambda2: float = param(
        1e-9,
        "λ₂",
        "Penalty that keeps the gene regulation close to 1 (no regulation). Large: no"
        " regulation; small: free regulation. The search suggests a value.",
        gt=0,
        allow_inf_nan=False,
    )
    gene_weights: GeneWeights = param(
        "dtd",
        "Gene weights",
        "The weights learned by DTD, or 1/mean(Y)² as the search uses them.",
        advanced=True,
    )
    c_static: bool = param(
        True, "C static", "Keep the composition of the first step (Custom only).", advanced=True
    )
    delta_static: bool = param(
        False, "Delta static", "No gene regulation (Custom only).", advanced=True
    )
    lambda1: float = param(
        1.0,
        "λ₁",
        "Penalty that keeps the composition close to that of the first step (Custom with free C"
        " only).",
        ge=0,
        allow_inf_nan=False,
        advanced=True,
    )
    refine: bool = param(
        False,
        "Refine to the optimum",
        "After the run, fully optimise the hidden profile and the gene regulation for its"
        " composition. The numbers then differ from those of deconomix, which stops shortly"
        " before the optimum.",
        advanced=True,
    )

    @model_validator(mode="after")
    def _refinable(self) -> Self:
        if self.refine and self.model == "custom" and not self.c_static:
            raise ValueError(
                "Refine to the optimum needs a composition that stays fixed, or there is no single"
                " best fit. Switch C static on, or refine off."
            )
        return self

    def used(self) -> list[str]:
        without = adtd_unused(self.model, c_static=self.c_static, delta_static=self.delta_static)
        return [name for name in super().used() if name not in without]

    @property
    def regulated(self) -> bool:
        """Whether the model estimates gene regulation."""
        return "lambda2" in self.used()


def adtd_unused(model: str, *, c_static: bool, delta_static: bool) -> set[str]:
    """Fields of ADTDParams that play no part with this choice of model."""
    custom = model == "custom"
    without = set() if model == "h,r" or (custom and not delta_static) else {"lambda2"}
    without |= set() if custom else {"c_static", "delta_static"}
    return without | (set() if custom and not c_static else {"lambda1"})


class SearchParams(Params):
    """Search of lambda2 by cross-validation (doi 10.1101/2024.11.28.625894)."""

    part: Part = param("bulk", "Dataset", "The mixtures on which λ₂ is searched.")
    smallest: float = param(
        1e-20, "Smallest λ₂", "Lower end of the grid.", gt=0, allow_inf_nan=False
    )
    largest: float = param(1.0, "Largest λ₂", "Upper end of the grid.", gt=0, allow_inf_nan=False)
    points: int = param(
        21, "Points", "Values of λ₂, evenly spaced on a logarithmic axis.", ge=2, le=201
    )
    folds: int = param(
        5,
        "Folds",
        "Parts into which the samples are split; each is predicted from the others.",
        ge=2,
        le=50,
    )

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.smallest >= self.largest:
            raise ValueError("The smallest λ₂ must be below the largest; change one of them.")
        return self

    def lambdas(self) -> list[float]:
        """The grid, ascending, exactly as ``np.logspace`` gives it."""
        import numpy as np

        return [
            float(v)
            for v in np.logspace(
                math.log10(self.smallest), math.log10(self.largest), num=self.points
            )
        ]


class ApplyParams(Params):
    """Apply the gene weights of a DTD run to the session's bulk: no training."""


class BootstrapParams(Params):
    """Confidence intervals of a run by resampling genes.

    part, lambda2 and max_iterations are those of the run.
    """

    replicates: int = param(
        100,
        "Replicates",
        "How often the genes are resampled. More replicates give steadier intervals and take"
        " longer.",
        unit="replicates",
        ge=20,
        le=1000,
    )
    seeds: bool = param(
        False,
        "Relearn gene weights",
        "Also relearn the gene weights in every replicate, from other training pseudobulks. Each"
        " replicate then takes about as long as DTD.",
        advanced=True,
    )
    seed: int = param(
        1,
        "Seed",
        "Random seed. The same seed gives the same intervals.",
        ge=0,
        le=2**32 - 2,
        advanced=True,
    )
    part: Part = param("bulk", "Dataset", "The mixtures of the run.")
    lambda2: float = param(1e-9, "λ₂", "That of the run.", gt=0, allow_inf_nan=False)
    max_iterations: int = param(1000, "Maximum iterations", "Those of the run.", ge=1, le=100_000)
