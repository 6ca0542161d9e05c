"""The fast engine: the numbers of deconomix in a fraction of its time and memory (the measurements
are in the bench, the comparisons in tests/engine).

Subclasses of deconomix's classes that keep its ``run`` where that is possible and replace the
steps. The mathematics (:mod:`.steps`, :mod:`.weights`, :mod:`.mixing`) is plain NumPy and SciPy:
the processes that share a search import neither torch nor deconomix.
"""
