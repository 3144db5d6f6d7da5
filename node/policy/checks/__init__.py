"""Checks of a complete bundle, one rule per file."""
