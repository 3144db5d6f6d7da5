"""The policy language: parse, check, decide, explain; pure."""
