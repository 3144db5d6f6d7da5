"""Heads are timestamped by an outside authority; its outage stops nothing and is seen."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from federation.contract.clock import SystemClock
from federation.contract.errors import ConfigurationError, LedgerCorruptError
from federation.ledger.log import Ledger
from federation.ledger.reader import LedgerReader
from federation.ledger.timestamps import Timestamps, TimestampSettings, read_roots, verify_timestamp
from federation.trust.outgoing import PostReply
from tests.support.ledger import entry
from tests.support.timestamp_authority import TimestampAuthority


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> TimestampAuthority:
    return TimestampAuthority.found(tmp_path_factory.mktemp("tsa"))


@pytest.fixture
def timestamps(tmp_path: Path, reader: LedgerReader, authority: TimestampAuthority) -> Iterator[Timestamps]:
    authority.works, authority.asked = True, 0
    settings = TimestampSettings("https://tsa.example/", authority.roots)
    opened = Timestamps.open(tmp_path / "timestamps.db", reader, settings, SystemClock())
    yield opened
    opened.close()


async def test_a_head_is_timestamped_once(
    ledger: Ledger, timestamps: Timestamps, authority: TimestampAuthority
) -> None:
    await timestamps.round(authority)
    assert authority.asked == 0  # nothing was recorded yet
    await ledger.append(entry(1))
    await timestamps.round(authority)
    await timestamps.round(authority)
    (stamped,) = timestamps.all()
    at = verify_timestamp(stamped.response, stamped.note, read_roots(authority.roots))
    assert abs(datetime.now(UTC) - at) < timedelta(minutes=1)
    assert authority.asked == 1
    assert timestamps.standing()["timestamped"] == 1


async def test_an_outage_leaves_one_request_behind_whatever_was_recorded(
    ledger: Ledger, timestamps: Timestamps, authority: TimestampAuthority
) -> None:
    authority.works = False
    for number in range(5):
        await ledger.append(entry(number))
        await timestamps.round(authority)
    standing = timestamps.standing()
    assert (standing["timestamped"], "authorityFailsSince" in standing) == (0, True)
    authority.works, authority.asked = True, 0
    await timestamps.round(authority)
    assert authority.asked == 1
    assert timestamps.standing()["timestamped"] == 5
    assert "authorityFailsSince" not in timestamps.standing()


async def test_a_timestamp_of_another_head_or_another_authority_is_refused(
    ledger: Ledger, timestamps: Timestamps, authority: TimestampAuthority, tmp_path: Path
) -> None:
    await ledger.append(entry(1))
    await timestamps.round(authority)
    (stamped,) = timestamps.all()
    with pytest.raises(LedgerCorruptError):
        verify_timestamp(stamped.response, stamped.note + " ", read_roots(authority.roots))
    stranger = TimestampAuthority.found(tmp_path / "stranger")
    with pytest.raises(LedgerCorruptError):
        verify_timestamp(stamped.response, stamped.note, read_roots(stranger.roots))
    for cut in (0, 10, len(stamped.response) - 1):
        with pytest.raises(LedgerCorruptError):
            verify_timestamp(stamped.response[:cut], stamped.note, read_roots(authority.roots))


async def test_an_answer_to_another_request_is_not_kept(
    ledger: Ledger, timestamps: Timestamps, authority: TimestampAuthority
) -> None:
    await ledger.append(entry(1))
    kept: list[bytes] = []

    async def replaying(url: str, content_type: str, body: bytes) -> PostReply:
        kept.append(body)
        return await authority(url, content_type, kept[0])

    await timestamps.round(replaying)
    await ledger.append(entry(2))
    await timestamps.round(replaying)
    assert [each.size for each in timestamps.all()] == [1]


def test_roots_that_cannot_be_read_stop_the_start(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="roots"):
        read_roots(tmp_path / "roots.pem")
