"""A registry is followed forwards; what cannot be trusted in it changes nothing, and is said."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest

from federation.contract.clock import FixedClock
from federation.contract.errors import BadInputError, ConfigurationError, RegistryStaleError, UnavailableError
from federation.trust.list_errors import ExpiredListError, ListRollbackError, MixedListError, UndersignedListError
from federation.trust.registry import ROOT_FILE, Registry, last_list
from federation.trust.repository import Repository
from tests.support.members import NOW, ONE, ONLINE, OPERATORS, STRANGER, THREE, TWO, found, members, publish, repository

if TYPE_CHECKING:
    from collections.abc import Callable

    from federation.trust.trusted_list import Source

KEPT = "kept"


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture
def kept(tmp_path: Path, clock: FixedClock) -> Repository:
    made = repository(tmp_path / "registry", clock)
    found(made)
    return made


def opened(kept: Repository, clock: FixedClock) -> Registry:
    return Registry.open(kept.folder, clock, kept.folder.with_name(KEPT))


def snapshot_of(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def put(files: dict[Path, bytes], *names: str) -> None:
    """Put earlier files back, as whoever holds the web server can."""
    for path, content in files.items():
        if any(path.name.endswith(name) for name in names):
            path.with_name("part").write_bytes(content)
            path.with_name("part").replace(path)


def test_a_newer_list_is_taken_and_an_older_one_is_not(kept: Repository, clock: FixedClock) -> None:
    registry = opened(kept, clock)
    with pytest.raises(RegistryStaleError, match="no member list"):
        registry.current()
    publish(kept, members(1))
    assert registry.current().version == 1
    before = snapshot_of(kept.folder)
    publish(kept, members(2))
    assert registry.current().version == 2
    put(before, "timestamp.json")
    assert registry.current().version == 2
    assert isinstance(registry.refusal, ListRollbackError)
    kept.stamp(ONLINE)  # the attacker's timestamp is behind, so one honest stamp does not help yet
    publish(kept, members(3))
    assert registry.current().version == 3
    assert registry.refusal is None


def test_the_last_good_list_serves_until_it_expires(kept: Repository, clock: FixedClock) -> None:
    publish(kept, members(1))
    registry = opened(kept, clock)
    registry.current()
    (kept.folder / "metadata" / "timestamp.json").unlink()
    clock.instant = NOW + timedelta(minutes=9)
    assert registry.current().version == 1
    assert opened(kept, clock).current().version == 1, "a restart while the publisher is down"
    clock.instant = NOW + timedelta(minutes=11)
    with pytest.raises(RegistryStaleError, match="expired at"):
        registry.current()
    with pytest.raises(RegistryStaleError):
        opened(kept, clock).current()


def test_a_stamp_brings_an_expired_list_back(kept: Repository, clock: FixedClock) -> None:
    publish(kept, members(1))
    registry = opened(kept, clock)
    registry.current()
    clock.instant = NOW + timedelta(minutes=11)
    kept.stamp(ONLINE)
    assert registry.current().version == 1
    assert not kept.needs_stamp()
    clock.instant += timedelta(minutes=6)
    assert kept.needs_stamp()


def test_an_edition_expires_after_a_week_however_often_it_is_stamped(kept: Repository, clock: FixedClock) -> None:
    publish(kept, members(1))
    registry = opened(kept, clock)
    registry.current()
    clock.instant = NOW + timedelta(days=7, minutes=1)
    kept.stamp(ONLINE)
    with pytest.raises(RegistryStaleError, match=r"newest one is refused.*snapshot\.json is expired"):
        registry.current()
    assert isinstance(registry.refusal, ExpiredListError)
    assert last_list(kept.folder).version == 1, "it still says whose keys were good"


@pytest.mark.parametrize("signers", [(), (ONE,), (ONE, ONE)], ids=["nobody", "one", "one twice"])
def test_an_edition_that_too_few_signed_is_not_published(kept: Repository, signers: tuple[object, ...]) -> None:
    with pytest.raises(UndersignedListError, match="more must sign"):
        publish(kept, members(1), signers=signers)  # type: ignore[arg-type]  # keys


def test_a_stranger_cannot_sign(kept: Repository) -> None:
    kept.stage_list(members(1), {})
    with pytest.raises(BadInputError, match="not among the operators"):
        kept.sign(STRANGER)


def _undersigned(kept: Repository) -> None:
    """Whoever holds the timestamp's key and the web server publishes what one operator signed."""
    kept.stage_list(members(2), {})
    kept.sign(ONE)
    for name in ("targets", "snapshot"):
        content = (kept.staged / f"{name}.json").read_bytes()
        (kept.folder / "metadata" / f"2.{name}.json").write_bytes(content)
    kept.stamp(ONLINE)


def _mixed(kept: Repository) -> None:
    """A snapshot of another edition under the name of the newest."""
    publish(kept, members(2))
    metadata = kept.folder / "metadata"
    (metadata / "2.snapshot.json").write_bytes((metadata / "1.snapshot.json").read_bytes())


def _swapped_targets(kept: Repository) -> None:
    publish(kept, members(2))
    metadata = kept.folder / "metadata"
    (metadata / "2.targets.json").write_bytes((metadata / "1.targets.json").read_bytes())


def _other_file(kept: Repository) -> None:
    publish(kept, members(2))
    changed = msgspec.json.encode(members(2, "sha256:1"))
    for path in (kept.folder / "targets").glob("*.members.json"):
        path.write_bytes(changed)


def _stamped_by_another(kept: Repository) -> None:
    publish(kept, members(2))
    kept.stamp(STRANGER)


def _stamped_and_expired(kept: Repository) -> None:
    publish(kept, members(2))
    kept.stamp(ONLINE, timedelta(seconds=-1))


def _garbage(kept: Repository) -> None:
    publish(kept, members(2))
    (kept.folder / "metadata" / "timestamp.json").write_bytes(b'{"signed": {}}')


def _other_version(kept: Repository) -> None:
    kept.stage_list(members(2), {})
    for path in (kept.staged / "targets").glob("*.members.json"):
        path.unlink()
    publish(kept, members(2))
    for path in (kept.folder / "targets").glob("*.members.json"):
        path.unlink()


ATTACKS: dict[str, tuple[Callable[[Repository], None], str]] = {
    "signed by one operator": (_undersigned, "REGISTRY_UNDERSIGNED"),
    "another edition's snapshot": (_mixed, "REGISTRY_MIXED"),
    "another edition's targets": (_swapped_targets, "REGISTRY_ROLLBACK"),
    "another member list": (_other_file, "REGISTRY_MIXED"),
    "a stranger's timestamp": (_stamped_by_another, "REGISTRY_UNDERSIGNED"),
    "an expired timestamp": (_stamped_and_expired, "REGISTRY_EXPIRED"),
    "no metadata": (_garbage, "BAD_USER_INPUT"),
    "a missing file": (_other_version, "UNAVAILABLE"),
}


@pytest.mark.parametrize(("attack", "code"), ATTACKS.values(), ids=ATTACKS.keys())
def test_what_cannot_be_trusted_changes_nothing_and_is_said(
    kept: Repository, clock: FixedClock, attack: Callable[[Repository], None], code: str
) -> None:
    publish(kept, members(1))
    registry = opened(kept, clock)
    assert registry.current().version == 1
    attack(kept)
    assert registry.current().version == 1
    assert registry.refusal is not None
    assert registry.refusal.code == code
    assert registry.standing()["memberListRefused"] == code


def test_two_editions_of_one_version_do_not_replace_each_other(kept: Repository, clock: FixedClock) -> None:
    publish(kept, members(1))
    registry = opened(kept, clock)
    registry.current()
    publish(kept, members(1, "sha256:1"))
    assert registry.current().supergraph == "sha256:0"


def test_operators_are_replaced_when_the_old_and_the_new_ones_sign(kept: Repository, clock: FixedClock) -> None:
    publish(kept, members(1))
    registry = opened(kept, clock)
    registry.current()
    new = (TWO, THREE, STRANGER)
    kept.stage_root("demo", 2, [key.public_key() for key in new], ONLINE.public_key())
    kept.sign(STRANGER)
    kept.sign(TWO)
    with pytest.raises(UndersignedListError, match="root 2"):  # of the old operators only one signed
        kept.publish()
    kept.sign(ONE)
    kept.publish()
    publish(kept, members(2), signers=(TWO, STRANGER))
    assert registry.current().version == 2
    with pytest.raises(BadInputError):
        publish(kept, members(3), signers=(ONE, TWO))


def test_a_stolen_timestamp_key_is_replaced_and_its_stamps_count_no_more(kept: Repository, clock: FixedClock) -> None:
    publish(kept, members(1))
    registry = opened(kept, clock)
    registry.current()
    for _ in range(20):
        kept.stamp(ONLINE)  # the thief runs ahead
    registry.current()
    kept.stage_root("demo", 2, [key.public_key() for key in OPERATORS], STRANGER.public_key())
    kept.sign(ONE)
    kept.sign(TWO)
    kept.publish()
    (kept.folder / "metadata" / "timestamp.json").unlink()  # the thief's
    kept.stamp(STRANGER)
    registry.renew()
    assert registry.refusal is None
    assert registry.current().version == 1


def test_a_newer_root_is_kept_though_a_later_step_fails(kept: Repository, clock: FixedClock) -> None:
    publish(kept, members(1))
    registry = opened(kept, clock)
    registry.current()
    before = snapshot_of(kept.folder)
    kept.stage_root("demo", 2, [key.public_key() for key in (TWO, THREE, STRANGER)], ONLINE.public_key())
    for key in (ONE, TWO, STRANGER):
        kept.sign(key)
    kept.publish()
    second = kept.folder / "metadata" / "2.root.json"
    (kept.folder / "metadata" / "timestamp.json").write_bytes(b"{}")
    registry.renew()
    assert isinstance(registry.refusal, BadInputError)
    assert registry.current().version == 1, "the list in force stays"
    found = second.read_bytes()
    second.unlink()  # whoever holds the web server would rather have the old operators
    put(before, "timestamp.json")
    for again in (registry, opened(kept, clock)):
        again.renew()
        assert again.kept.newest.root == found
        assert again.current().version == 1


def test_a_newer_timestamp_is_kept_though_a_later_step_fails(kept: Repository, clock: FixedClock) -> None:
    publish(kept, members(1))
    registry = opened(kept, clock)
    registry.current()
    before = snapshot_of(kept.folder)
    publish(kept, members(2))
    (kept.folder / "metadata" / "2.snapshot.json").unlink()
    registry.renew()
    put(before, "timestamp.json")
    for again in (registry, opened(kept, clock)):
        again.renew()
        assert isinstance(again.refusal, ListRollbackError), "the older edition would hide the one that was announced"
        assert again.current().version == 1


def test_what_was_verified_before_the_first_list_is_kept(kept: Repository, clock: FixedClock) -> None:
    publish(kept, members(1))
    hidden = kept.folder / "metadata" / "1.snapshot.json"
    content = hidden.read_bytes()
    hidden.unlink()
    opened(kept, clock).renew()
    again = opened(kept, clock)
    assert again.kept.newest.timestamp
    hidden.write_bytes(content)
    again.renew()
    assert again.current().version == 1


@dataclass
class Slow:
    """The registry as a slow worker meets it: before it reads `at`, another is done; then the registry is down."""

    source: Source
    at: str
    meanwhile: Callable[[], None]
    down: bool = False

    def changed(self) -> bool:
        return False

    def read(self, name: str, limit: int) -> bytes | None:
        if self.down:
            raise UnavailableError("down")
        found = self.source.read(name, limit)
        if name.endswith(self.at):
            self.meanwhile()
            self.down = True
        return found


@pytest.mark.parametrize("at", ["2.root.json", "timestamp.json", "2.snapshot.json", "2.targets.json"])
def test_a_slow_worker_does_not_undo_what_another_kept(kept: Repository, clock: FixedClock, at: str) -> None:
    publish(kept, members(1))
    fast, slow = (opened(kept, clock) for _ in range(2))
    assert fast.current().version == slow.current().version == 1
    publish(kept, members(2))
    slow.source = Slow(slow.source, at, fast.renew)
    slow.renew()
    assert isinstance(slow.refusal, UnavailableError)
    assert fast.in_force().members.version == 2
    restarted = Registry.open(kept.folder, clock, kept.folder.with_name(KEPT), "http://127.0.0.1:9")
    assert restarted.current().version == 2


@pytest.mark.parametrize("content", ["", "{}", '{"signed":{"_type":"root"},"signatures":[]}'])
def test_a_root_that_cannot_be_used_is_named(kept: Repository, clock: FixedClock, content: str) -> None:
    (kept.folder / ROOT_FILE).write_text(content)
    with pytest.raises(ConfigurationError, match=r"root\.json"):
        opened(kept, clock)


def test_a_kept_list_of_another_history_is_not_taken_over(kept: Repository, clock: FixedClock, tmp_path: Path) -> None:
    publish(kept, members(1))
    opened(kept, clock).current()
    other = repository(tmp_path / "other", clock)
    found(other, operators=(STRANGER,))
    with pytest.raises(ConfigurationError, match="another root"):
        Registry.open(other.folder, clock, kept.folder.with_name(KEPT))


def test_a_member_list_of_another_federation_is_refused(kept: Repository, clock: FixedClock) -> None:
    publish(kept, msgspec.structs.replace(members(1), federation="other"))
    registry = opened(kept, clock)
    with pytest.raises(RegistryStaleError, match="expected the member list of `demo`"):
        registry.current()
    assert isinstance(registry.refusal, MixedListError)
