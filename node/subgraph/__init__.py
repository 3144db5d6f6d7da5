"""The node as a federation subgraph: its schema, _service and _entities."""
