"""Bringing a file of rows into a table of the member's own register, in steps that survive a kill."""
