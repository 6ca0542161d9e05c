"""Files of the predecessor, DeconomiX: .dcx data sets and its sessions."""
