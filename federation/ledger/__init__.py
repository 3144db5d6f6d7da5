"""The tamper-evident log: tree, checkpoints, proofs and stores."""
