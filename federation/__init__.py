"""What all members share, and what the gateway runs."""
