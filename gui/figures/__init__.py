"""Pure functions: DataFrame in, ``go.Figure`` out.

SVG traces only (no WebGL, no geo: both fail or fetch from the network in the window).
"""
