"""Which member holds a file on which pseudonym, in which capacity."""
