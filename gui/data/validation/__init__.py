"""What is wrong with the data that were read, and the repairs that are proposed."""
