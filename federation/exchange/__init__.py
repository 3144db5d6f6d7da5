"""The pseudonym exchange: a process and trust domain of its own."""
