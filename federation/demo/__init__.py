"""The demo federation: founding it, starting its processes, and checking it against the seed."""
