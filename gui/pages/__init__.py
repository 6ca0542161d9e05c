"""The built-in pages, each written against gui.plugin."""
