"""Exporting a published list to a file, under the policy and nothing else."""
