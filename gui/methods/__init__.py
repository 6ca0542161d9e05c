"""Methods: what estimates the composition of the bulk. No Dash here.

A :class:`gui.methods.method.Method` says what it can (gene weights, hidden background, gene
regulation, layers, intervals) and what it needs; its task ``(dataset, params, *, progress)``
returns a :class:`gui.methods.method.MethodResult`. All are listed in :mod:`gui.methods.registry`.
Pages, analyses, sessions and ``analyze`` ask for what a method can, never for its name.
"""
