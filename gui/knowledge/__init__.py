"""What is known about genes: their identifiers and names. Knows no file format and no page."""
