"""HTTP servers of the federation: whole messages in, whole messages out, everything bounded."""
