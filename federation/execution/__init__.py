"""A plan in, one merged response out."""
