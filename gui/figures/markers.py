"""Marker genes: which genes the gene weights favour, and what the reference says about them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from gui.figures.axes import f4, name_axis
from gui.figures.template import blank

GENE_PIXELS = 14


def top_markers(reference: pd.DataFrame, gene_weights: pd.Series, n: int = 50) -> pd.DataFrame:
    """The ``n`` genes with the largest gene weight x variance of the reference between types.

    Parameters
    ----------
    reference
        genes x cell types.
    gene_weights
        By gene Returns a frame by gene, largest first: columns gene_weight, variance,
        importance (their product).
    """
    variance = (
        reference.var(axis=1, ddof=1).fillna(0.0)
        if reference.shape[1] > 1
        else pd.Series(0.0, index=reference.index)
    )
    frame = pd.DataFrame(
        {"gene_weight": gene_weights.reindex(reference.index).fillna(0.0), "variance": variance}
    )
    frame["importance"] = frame["gene_weight"] * frame["variance"]
    return frame.sort_values("importance", ascending=False, kind="stable").head(n)


def clustered(values: np.ndarray) -> list[int]:
    """Return the row order of an average-linkage clustering (Euclidean, optimal leaf order)."""
    if len(values) < 3:
        return list(range(len(values)))
    # lazily: scipy is not needed to open the window
    from scipy.cluster.hierarchy import leaves_list, linkage

    filled = np.nan_to_num(np.asarray(values, dtype=np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    return [
        int(i)
        for i in leaves_list(
            linkage(
                filled, method="average", metric="euclidean", optimal_ordering=len(filled) <= 400
            )
        )
    ]


def z_scores(values: np.ndarray) -> np.ndarray:
    """Each row minus its mean, over its standard deviation; a constant row gives zeros."""
    with np.errstate(invalid="ignore", divide="ignore"):
        scores = (values - values.mean(axis=1, keepdims=True)) / values.std(axis=1, keepdims=True)
    return np.where(np.isfinite(scores), scores, 0.0)


def relative(values: np.ndarray) -> np.ndarray:
    """Each row over its largest value."""
    with np.errstate(invalid="ignore", divide="ignore"):
        fractions = values / values.max(axis=1, keepdims=True)
    return np.where(np.isfinite(fractions), fractions, 0.0)


def heatmap(
    reference: pd.DataFrame, gene_weights: pd.Series, n: int = 50, *, relative_scale: bool = False
) -> go.Figure:
    """Clustered heatmap of the ``n`` top markers, cell types x genes.

    by_share : expression relative to the type that has most of the gene, instead of the z-score
    over the cell types
    """
    fig = blank()
    top = top_markers(reference, gene_weights, n)
    chosen = reference.loc[top.index].to_numpy(dtype=np.float64)
    values = relative(chosen) if relative_scale else z_scores(chosen)
    rows, columns = clustered(values), clustered(values.T)
    genes, types = [str(top.index[i]) for i in rows], [str(reference.columns[j]) for j in columns]
    z = values[np.ix_(rows, columns)].T
    weights = np.broadcast_to(top["gene_weight"].to_numpy()[rows], z.shape)
    bound = float(np.abs(z).max(initial=0.0)) or 1.0
    fig.add_heatmap(
        z=f4(z),
        x=np.arange(len(genes), dtype=np.int32),
        y=np.arange(len(types), dtype=np.int32),
        customdata=np.dstack([f4(weights), f4(chosen[np.ix_(rows, columns)].T)]),
        zmin=0.0 if relative_scale else -bound,
        zmax=1.0 if relative_scale else bound,
        autocolorscale=True,
        xgap=1,
        ygap=1,
        colorbar={
            "title": {
                "text": "Expression relative to the highest"
                if relative_scale
                else "Expression, z-score over the types"
            }
        },
        hovertemplate="<b>%{x}</b>, %{y}<br>"
        + ("relative %{z:.3g}" if relative_scale else "z-score %{z:.3g}")
        + "<br>expression %{customdata[1]:.3g}<br>gene weight %{customdata[0]:.3g}<extra></extra>",
    )
    name_axis(
        fig,
        "x",
        genes,
        tickangle=-90,
        tickfont={"size": 11 if len(genes) > 40 else 12},
        longest=16,
        what="genes",
    )
    name_axis(fig, "y", types)
    fig.update_layout(
        height=150 + max(22 * len(types), 190),
        width=260 + GENE_PIXELS * len(genes) if len(genes) > 50 else None,
    )
    return fig
