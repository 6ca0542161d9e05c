"""What surrounds the pages: frame, header, menu, lock screen, tour and dialogs."""
