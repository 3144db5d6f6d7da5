"""Rules that the merged subgraphs keep together: one rule, one file; `specified` lists them in order."""
