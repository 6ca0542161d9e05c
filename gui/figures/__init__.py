"""Pure figures: data in, plotly Figure out."""
