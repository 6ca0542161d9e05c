"""The built-in example beside its truth, as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gui.data.example import Example
    from gui.engine.results import ADTDResult, DTDResult


def example_table(example: Example, model: str, dtd: DTDResult, adtd: ADTDResult | None) -> str:
    """Return the estimates beside the truth of the built-in example, as text."""
    import numpy as np

    from gui.data.dataset import HIDDEN
    from gui.statistics.agreement import pearson

    found = adtd.full() if adtd is not None else dtd.composition["bulk"]
    truth = example.truth
    lines = [f"Built-in example, {model}: {found.shape[1]} samples, {len(dtd.genes)} genes", ""]
    lines.append(f"{'cell type':<22}{'estimated':>10}{'true':>10}{'correlation':>13}")
    for name in found.index:
        known, guess = (
            truth.loc[name, found.columns].to_numpy(dtype=float),
            found.loc[name].to_numpy(dtype=float),
        )
        correlation = pearson(known, guess)
        shown = "-" if np.isnan(correlation) else f"{correlation:.3f}"
        label = f"hidden ({example.hidden_type})" if name == HIDDEN else str(name)
        lines.append(f"{label:<22}{guess.mean():>10.1%}{known.mean():>10.1%}{shown:>13}")
    lines.append("")
    if adtd is None:
        lines.append(
            f"{model} has no hidden background: {truth.loc[HIDDEN].mean():.1%} of the samples is"
            " of a type the reference lacks."
        )
    else:
        low, high = (
            (adtd.hidden_interval[c].mean() for c in ("low", "high"))
            if adtd.hidden_interval is not None
            else (np.nan, np.nan)
        )
        lines.append(
            f"Hidden fraction: {adtd.hidden.mean():.1%} (at equal fit {low:.1%} to {high:.1%}),"
            f" true {truth.loc[HIDDEN].mean():.1%}"
        )
    if adtd is not None and adtd.gene_regulation is not None:
        regulated = [g for g in example.regulated if g in adtd.gene_regulation.index]
        factors = adtd.gene_regulation[example.regulated_type].clip(lower=1e-6)
        top = set(np.log(factors).abs().nlargest(len(regulated)).index)
        hits = [g for g in regulated if g in top]
        lines.append(
            f"Regulated genes in {example.regulated_type}: {len(hits)} of {len(regulated)} are"
            f" among the {len(regulated)} most regulated of {len(factors)}"
            f"{': ' + ', '.join(hits[:8]) if hits else ''}{' ...' if len(hits) > 8 else ''}"
        )
    return "\n".join(lines)
