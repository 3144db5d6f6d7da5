"""Prints the shared vocabulary: `python -m node.vocabulary.print_schema > schema.graphql`."""

import sys

from node.vocabulary.schema import printed_schema

if __name__ == "__main__":
    sys.stdout.write(printed_schema())
