"""Making a demo federation: keys, registers full of synthetic people, signed policies, and the signed member list."""

from __future__ import annotations

from datetime import date

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from federation.consumer.portal import KNOWN_CITIZENS, write_citizens
from federation.contract.clock import SystemClock
from federation.contract.errors import ConfigurationError
from federation.contract.identifiers import DIRECTORY, PORTAL, MemberId
from federation.demo.channels import certify_channels
from federation.demo.charter import Charter
from federation.demo.founding import EXCHANGE_MASTER_KEY, make_keys, publish_federation, write_settings
from federation.demo.layout import Home, Ports
from federation.demo.members_side import MembersSide, Pseudonym, Seeded, Subject
from federation.directory.directory import Directory
from federation.directory.rows import HeldFile
from federation.linkage.enrolling import enrolment_key, subject_of
from federation.linkage.oprf import evaluate
from federation.linkage.siv import SivSuite
from federation.membership.purpose_names import read_purpose_names
from federation.shared.place import SharedPlace
from federation.trust.keys import read_secret

_CITIZENS_FILE = "citizens"
"""How many citizens the registers were made with."""
DEFAULT_CITIZENS = 2000


def found_demo(
    members: MembersSide, home: Home, charter: Charter, ports: Ports, citizens: int | None, *, fresh: bool
) -> None:
    """Make keys, registers, the reference directory, signed policies, settings, and the signed member list.

    Raises:
        ConfigurationError: the registers hold another number of citizens, and `fresh` does not allow to remake them.
    """
    make_keys(home, charter)
    known = home.root / _CITIZENS_FILE
    found = known.read_text() if known.exists() else None
    if found is not None and not fresh and citizens is not None and found != str(citizens):
        raise ConfigurationError(
            f"`{home.root}` holds {found} citizens: add --fresh to make {citizens}, which removes its ledgers"
        )
    if fresh or found is None:
        _forget(home, charter)
        seed(members, home, citizens or DEFAULT_CITIZENS)
    policies = {str(member.id): members.publish_policy(member.id, home.party(member.id)) for member in charter.nodes()}
    write_settings(home, charter, ports, policies, members.files / "queries")
    sdls = {str(member.id): members.published_sdl(member.id) for member in charter.nodes()}
    purposes = read_purpose_names(members.vocabulary.read_bytes())
    founded = publish_federation(home, charter, ports, sdls, purposes, SystemClock())
    if ports.tls:
        certify_channels(home, founded.members, SystemClock())


def seed(members: MembersSide, home: Home, citizens: int) -> Seeded:
    """Fill the registers, the reference directory and the portal from one set of synthetic people."""
    pseudonym = pseudonyms(home)
    errors = Console(stderr=True)
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed}/{task.total}"),
        TimeElapsedColumn(),
        console=errors,
        disable=not errors.is_terminal,
    ) as progress:
        people = progress.add_task("synthetic citizens", total=citizens)
        made = members.seed(
            home.root, citizens, lambda done, _: progress.update(people, completed=done), pseudonym, subjects(home)
        )
    state = home.party("gateway") / "state"
    state.mkdir(parents=True, exist_ok=True)
    directory = Directory.open(SharedPlace(state))
    directory.load(
        HeldFile.parse(
            pseudonym(DIRECTORY, bytes.fromhex(row.subject)), row.member, row.capacity, date.fromisoformat(row.since)
        )
        for row in made.held()
    )
    directory.close()
    write_citizens(
        home.party(PORTAL) / KNOWN_CITIZENS,
        ((person.tax_code, pseudonym(PORTAL, person.subject_id)) for person in made.persons()),
    )
    (home.root / _CITIZENS_FILE).write_text(str(citizens))
    return made


def _forget(home: Home, charter: Charter) -> None:
    """Remove the state of an earlier demo; keys stay."""
    for party in ("gateway", "exchange", *(member.id for member in charter.members)):
        state = home.party(party) / "state"
        for path in state.glob("*") if state.is_dir() else ():
            path.unlink()


def pseudonyms(home: Home) -> Pseudonym:
    """Return how the demo's exchange makes pseudonyms; nobody but an exchange may hold its key elsewhere."""
    suite = SivSuite(read_secret(home.keys("exchange") / EXCHANGE_MASTER_KEY))
    return lambda member, subject: str(suite.pseudonym(MemberId(member), subject))


def subjects(home: Home) -> Subject:
    """Return which subject enrolment with the demo's exchange finds for a tax code."""
    key = enrolment_key(read_secret(home.keys("exchange") / EXCHANGE_MASTER_KEY))
    return lambda tax_code: subject_of(evaluate(key, tax_code.encode()))
