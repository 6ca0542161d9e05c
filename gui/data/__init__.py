"""What a dataset is and how it gets in. Knows no Dash."""
