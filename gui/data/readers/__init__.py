"""One module per family of file formats; `read` chooses among them."""
