"""One administration's node."""
