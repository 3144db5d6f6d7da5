"""Every meaning is a term that a published vocabulary has; our own namespace holds only what none of them has."""

import re
from pathlib import Path

from node.vocabulary.schema import printed_schema
from node.vocabulary.terms import CROCEVIA

TERMS = Path(__file__).with_name("published_terms.txt")


def _published() -> set[str]:
    terms: set[str] = set()
    namespace = ""
    for line in TERMS.read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            continue
        if line.startswith("  "):
            terms |= {namespace + name for name in line.split()}
        else:
            namespace = line
    return terms


def _used() -> set[str]:
    return set(re.findall(r'@semantic\(iri: "([^"]+)"\)', printed_schema()))


def test_every_term_of_another_namespace_is_published_there() -> None:
    assert {iri for iri in _used() if not iri.startswith(CROCEVIA)} - _published() == set()


def test_our_own_namespace_is_the_smaller_part() -> None:
    own = {iri for iri in _used() if iri.startswith(CROCEVIA)}
    assert len(own) < len(_used()) / 2
