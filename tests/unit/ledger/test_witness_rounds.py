"""A ledger shows its heads to its witnesses; what nobody outside has seen for too long stops the answers."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from federation.contract.clock import FixedClock
from federation.contract.errors import ClockDriftError, LedgerUnwitnessedError, UnavailableError
from federation.ledger.clock_drift import seconds_ahead
from federation.ledger.cosignature import Cosigner
from federation.ledger.keeping import Keeping, _taken
from federation.ledger.log import Ledger
from federation.ledger.reader import LedgerReader
from federation.ledger.witness import Witness
from federation.ledger.witness_rounds import WitnessAt, WitnessRounds, WitnessSettings
from federation.ledger.witnessing import cosigners
from federation.shared.place import SharedPlace
from federation.trust.outgoing import PostReply
from tests.support.ledger import SIGNER, LedgerFiles, entry

NAMES = ("aslvs", "inprev", "istsc_bv01")


@dataclass(slots=True)
class Town:
    """Three witnesses behind addresses; those in `down` do not answer."""

    witnesses: dict[str, Witness]
    clock: FixedClock
    down: set[str] = field(default_factory=set)

    def at(self) -> list[WitnessAt]:
        """Return them as a member list has them."""
        return [WitnessAt(each.cosigner.verifier, name) for name, each in self.witnesses.items()]

    async def __call__(self, url: str, _type: str, body: bytes) -> PostReply:
        """Deliver a request."""
        if url in self.down:
            raise UnavailableError("no answer")
        said = self.witnesses[url].add_checkpoint(body.decode(), {SIGNER.verifier.name: [SIGNER.verifier]})
        return PostReply(said.status, said.body.encode())


def place(folder: Path) -> SharedPlace:
    folder.mkdir()
    return SharedPlace(folder)


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    clock = FixedClock(datetime(2026, 11, 28, tzinfo=UTC))
    witnesses = {
        name: Witness.open(place(tmp_path / name), Cosigner.of(f"{name}/witness", Ed25519PrivateKey.generate()), clock)
        for name in NAMES
    }
    yield Town(witnesses, clock)
    for witness in witnesses.values():
        witness.close()


@pytest.fixture
def rounds(tmp_path: Path, reader: LedgerReader, town: Town) -> Iterator[WitnessRounds]:
    opened = WitnessRounds.open(tmp_path / "witnessed.db", reader, WitnessSettings(patience=100), town.clock)
    yield opened
    opened.close()


async def test_a_quorum_cosigns_the_head(ledger: Ledger, rounds: WitnessRounds, town: Town) -> None:
    town.down = {"aslvs"}
    for number in range(3):
        await ledger.append(entry(number))
        standing = await rounds.round(town.at(), town)
        assert standing.witnessed == number + 1
    note = rounds.cosigned()
    assert note is not None
    keys = [each.verifier for each in town.at()]
    assert cosigners(note, SIGNER.verifier, keys) == {"inprev/witness", "istsc_bv01/witness"}
    assert rounds.standing().witnesses["aslvs/witness"] == "silent"
    rounds.require()


async def test_a_witness_that_was_away_catches_up(ledger: Ledger, rounds: WitnessRounds, town: Town) -> None:
    await ledger.append(entry(1))
    await rounds.round(town.at(), town)
    town.down = {"aslvs"}
    await ledger.append(entry(2))
    await rounds.round(town.at(), town)
    town.down = set()
    await ledger.append(entry(3))
    await rounds.round(town.at(), town)
    assert set(rounds.standing().witnesses.values()) == {"cosigned"}


async def test_answers_stop_after_the_patience_and_go_on_after_one_round(
    ledger: Ledger, rounds: WitnessRounds, town: Town
) -> None:
    town.down = {"aslvs", "inprev"}
    await ledger.append(entry(1))
    await rounds.round(town.at(), town)
    rounds.require()
    town.clock.instant += timedelta(seconds=101)
    with pytest.raises(LedgerUnwitnessedError, match="101 s"):
        rounds.require()
    town.down = {"aslvs"}
    await rounds.round(town.at(), town)
    rounds._looked = (float("-inf"), None)  # what a worker knows is a second old at most
    rounds.require()


async def test_a_quiet_ledger_owes_nothing(ledger: Ledger, rounds: WitnessRounds, town: Town) -> None:
    await ledger.append(entry(1))
    await rounds.round(town.at(), town)
    town.down = set(NAMES)
    town.clock.instant += timedelta(days=30)
    await rounds.round(town.at(), town)
    rounds.require()


@pytest.mark.parametrize("other", [("shorter",), ("as", "long"), ("another", "history", "longer")])
async def test_a_rewritten_ledger_raises_the_alarm(
    ledger: Ledger,
    rounds: WitnessRounds,
    town: Town,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    other: tuple[str, ...],
) -> None:
    for number in range(2):
        await ledger.append(entry(number))
    await rounds.round(town.at(), town)
    (tmp_path / "forked").mkdir()
    forked = LedgerFiles(tmp_path / "forked")
    keys = forked.subject_keys()
    second = forked.ledger(keys)
    for number, _ in enumerate(other, start=50):
        await second.append(entry(number))
    reader = forked.reader()
    rounds._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.copy(tmp_path / "witnessed.db", tmp_path / "forked" / "witnessed.db")
    again = WitnessRounds.open(tmp_path / "forked" / "witnessed.db", reader, WitnessSettings(), town.clock)
    with caplog.at_level(logging.ERROR):
        standing = await again.round(town.at(), town)
    assert standing.unseen_since is not None
    assert set(standing.witnesses.values()) <= {"refused 422", "refused 409"}
    assert "cut back or rewritten" in caplog.text
    again.close()
    reader.close()
    second.close()
    keys.close()


async def test_of_two_processes_with_one_ledger_one_makes_the_rounds(
    tmp_path: Path, reader: LedgerReader, town: Town
) -> None:
    first, second = (Keeping.open(tmp_path, reader, WitnessSettings(), None, town.clock) for _ in range(2))
    with first.lock.open("wb+") as one, second.lock.open("wb+") as other:
        assert _taken(one)
        assert not _taken(other)
    first.close()
    second.close()


def off_by(rounds: WitnessRounds, town: Town, seconds: int) -> None:
    """Let the ledger's clock differ from the witnesses', and what they said about it be of long ago."""
    rounds.clock = FixedClock(town.clock.instant + timedelta(seconds=seconds))
    rounds._measured = float("-inf")


@pytest.mark.parametrize(("seconds", "said"), [(31, "31 s ahead of 3 of 3"), (-600, "600 s behind 3 of 3")])
async def test_s7_a_clock_that_witnesses_find_wrong_is_not_ready_until_it_is_set(
    ledger: Ledger, rounds: WitnessRounds, town: Town, seconds: int, said: str
) -> None:
    await ledger.append(entry(1))
    await rounds.round(town.at(), town)
    rounds.require_clock()
    off_by(rounds, town, seconds)
    await rounds.round(town.at(), town)  # nothing new to cosign: the same head is signed again
    with pytest.raises(ClockDriftError, match=said) as refused:
        rounds.require_clock()
    assert refused.value.extensions == {"seconds": seconds}
    off_by(rounds, town, 30)
    await rounds.round(town.at(), town)
    rounds.require_clock()


async def test_s7_one_witness_with_a_wrong_clock_stops_nobody(
    ledger: Ledger, rounds: WitnessRounds, town: Town
) -> None:
    await ledger.append(entry(1))
    wrong = town.witnesses["aslvs"]
    wrong.clock = FixedClock(town.clock.instant + timedelta(hours=1))
    await rounds.round(town.at(), town)
    rounds.require_clock()
    town.down = {"inprev", "istsc_bv01"}  # where only one answers, it is believed
    rounds._measured = float("-inf")
    await rounds.round(town.at(), town)
    with pytest.raises(ClockDriftError, match="3600 s behind 1 of 1"):
        rounds.require_clock()
    town.down = set(NAMES)  # and who hears nobody is not said to be wrong
    rounds._measured = float("-inf")
    await rounds.round(town.at(), town)
    rounds.require_clock()


async def test_a_quiet_ledger_stays_witnessed_though_its_clock_is_asked_about(
    ledger: Ledger, rounds: WitnessRounds, town: Town
) -> None:
    await ledger.append(entry(1))
    await rounds.round(town.at(), town)
    town.down = set(NAMES)
    rounds._measured = float("-inf")
    assert (await rounds.round(town.at(), town)).unseen_since is None


@pytest.mark.parametrize(
    ("times", "ahead"), [((10, 10, 10), 0), ((10, 12, 14), 0), ((10, 5, 14), 5), ((10, 20, 14), -6)]
)
def test_a_slow_way_is_no_drift(times: tuple[int, int, int], ahead: int) -> None:
    assert seconds_ahead(*times) == ahead
