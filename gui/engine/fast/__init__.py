"""The fast engine: the numbers of deconomix in a fraction of its time and memory.

Subclasses of deconomix's classes that keep its ``run`` where possible and replace the steps. The
mathematics (:mod:`.adtd_solver`, :mod:`.weights`, :mod:`.pseudobulk`) is plain NumPy and SciPy: the
processes that share a search import neither torch nor deconomix. The bench measures it,
tests/engine compares it.

Subclasses of deconomix's classes that keep its ``run`` where that is possible and replace the
steps. The mathematics (:mod:`.steps`, :mod:`.weights`, :mod:`.mixing`) is plain NumPy and SciPy:
the processes that share a search import neither torch nor deconomix.
"""
