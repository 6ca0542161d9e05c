"""Sessions: isolated workspaces and their manager. Knows no Dash."""
