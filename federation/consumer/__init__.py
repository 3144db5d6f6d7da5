"""What a partner's own system does: obtain a token, sign, ask, and check what came back."""
