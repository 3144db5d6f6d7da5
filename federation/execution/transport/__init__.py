"""HTTP/1.1 to the members: few features, every one of them bounded."""
