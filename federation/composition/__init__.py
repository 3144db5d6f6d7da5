"""Subgraph schemas in, supergraph or explained errors out; pure."""
