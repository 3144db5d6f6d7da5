"""What this node disclosed: its ledger, and the citizen's report."""
