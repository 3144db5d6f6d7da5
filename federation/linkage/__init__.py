"""Pseudonym suites, and encodings of record linkage; pure."""
