"""The mapping from the vocabulary to the agency's tables; an operation and its decisions compiled to one SQL statement."""
