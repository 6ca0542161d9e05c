"""Jobs: a queue and a warm worker process. Knows no Dash."""
