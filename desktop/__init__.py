"""The native window; knows no page."""
