"""The DeconomiX application: everything that runs with or without a window."""

__version__ = "0.1.0"
