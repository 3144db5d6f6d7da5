"""HTTP surface and wiring of a node."""
