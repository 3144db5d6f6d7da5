"""Where the worker processes of one party, on one host or on several, keep what all of them must know."""
