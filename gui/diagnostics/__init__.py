"""What doctor checks on this computer, and the bundle for a request for help."""
