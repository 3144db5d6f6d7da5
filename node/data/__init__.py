"""The mapping from the vocabulary to the agency's tables, and operations compiled to one SQL statement."""
