"""The only importer of deconomix.

Knows no Dash; nothing here imports the engine at module level but what a worker runs.
"""
