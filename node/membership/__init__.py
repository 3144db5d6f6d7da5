"""This node's side of belonging to the federation."""
