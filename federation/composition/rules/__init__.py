"""Rules that one subgraph keeps by itself: one rule, one file; `specified` lists them in order."""
