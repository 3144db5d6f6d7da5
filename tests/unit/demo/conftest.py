"""One small seeded demo, shared by the tests that read it."""

import base64
import hashlib
from collections.abc import Callable

import pytest

from node.demo.facts import Person
from node.demo.seed import SeedReport, read_truth, seed

TOWN = 1500


def pseudonym(member: str, subject: bytes) -> str:
    """Stand in for the pseudonym suite: a different text for every member and subject."""
    digest = hashlib.sha256(member.encode() + subject).digest()
    return f"v1.siv.{member}.{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"


@pytest.fixture(scope="session")
def pseudonym_of() -> Callable[[str, bytes], str]:
    """Return what the registers of the fixtures were filled with."""
    return pseudonym


@pytest.fixture(scope="session")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> SeedReport:
    """Return the report of a town of 1 500."""
    return seed(tmp_path_factory.mktemp("demo"), TOWN, lambda _done, _wanted: None, pseudonym)


@pytest.fixture(scope="session")
def people(seeded: SeedReport) -> list[Person]:
    """Return its people."""
    return list(read_truth(seeded.truth_file))
