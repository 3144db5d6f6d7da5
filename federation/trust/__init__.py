"""Keys, tokens, message signatures and the signed member list."""
