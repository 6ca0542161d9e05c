"""Statistics of samples, groups and genes: NumPy, SciPy and pandas only, no Dash.

Every function cites its source. Results are frozen dataclasses of frames, numbers and notes, which
a page, the report and the command line show alike. SciPy is imported when it is first needed: the
window starts without it.
"""
