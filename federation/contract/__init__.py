"""Values and wire formats that every member signs, verifies and stores; pure, the bottom of the house."""
