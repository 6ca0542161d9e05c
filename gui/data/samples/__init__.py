"""Tables about samples: clinical data, known compositions, and joining them by name."""
