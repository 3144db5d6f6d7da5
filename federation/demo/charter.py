"""The charter of a federation: its members and agreements as its founders write them down, before there are keys."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import yaml

from federation.contract.errors import ConfigurationError
from federation.contract.identifiers import MemberId
from federation.contract.members import AgreedProvider, AgreedPurpose, Agreement, AgreementState


class CharterMember(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A member; `node` says that it answers, not only asks."""

    id: MemberId
    name: dict[str, str]
    kind: str
    area: str
    node: bool = False


class Validity(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"start": "from"}):
    """The first and the last day of an agreement."""

    start: date
    until: date


class CharterAgreement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An agreement: legal bases by purpose, coordinates by provider.

    `lookup` names the providers that may be asked for a citizen by tax code, in that order; `lists` the root fields of
    lists that may be asked; `writes` the mutations that may be sent; `sealed` the days for which accesses for a purpose
    stay out of citizens' reports.
    """

    id: str
    consumer: MemberId
    purposes: dict[str, tuple[str, ...]]
    valid: Validity
    providers: dict[MemberId, tuple[str, ...]]
    lookup: tuple[MemberId, ...] = ()
    lists: dict[MemberId, tuple[str, ...]] = {}
    writes: dict[MemberId, tuple[str, ...]] = {}
    sealed: dict[str, int] = {}

    def agreement(self) -> Agreement:
        """Return the agreement that its parties are to sign."""
        return Agreement(
            id=self.id,
            consumer=self.consumer,
            providers=tuple(AgreedProvider(member, self._coordinates(member)) for member in self._in_order()),
            purposes=tuple(
                AgreedPurpose(purpose, bases, self.sealed.get(purpose, 0)) for purpose, bases in self.purposes.items()
            ),
            valid_from=self.valid.start,
            valid_until=self.valid.until,
            state=AgreementState.ACTIVE,
        )

    def _in_order(self) -> tuple[MemberId, ...]:
        """Providers for look-ups first: the gateway asks in the agreement's order."""
        return tuple(dict.fromkeys((*self.lookup, *self.providers)))

    def _coordinates(self, member: MemberId) -> tuple[str, ...]:
        roots = ("Query.citizen",) if member in self.lookup else ()
        lists = tuple(f"Query.{name}" for name in self.lists.get(member, ()))
        writes = tuple(f"Mutation.{name}" for name in self.writes.get(member, ()))
        return (*roots, *lists, *writes, *self.providers[member])


class Charter(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A federation to be founded; `threshold` of the `operators` must sign its member list."""

    federation: str
    operators: tuple[str, ...]
    threshold: int
    members: tuple[CharterMember, ...]
    coordinates: dict[str, tuple[str, ...]]
    agreements: tuple[CharterAgreement, ...]

    def nodes(self) -> tuple[CharterMember, ...]:
        """Return the members that answer, in the charter's order."""
        return tuple(member for member in self.members if member.node)


def read_charter(text: str) -> Charter:
    """Read `federation.yaml`.

    Raises:
        ConfigurationError: not YAML, a key that is not known, or a member in an agreement that is not in the charter.
    """
    try:
        content: Any = yaml.safe_load(text)
        charter = msgspec.convert(content, Charter)
    except (yaml.YAMLError, msgspec.ValidationError) as error:
        raise ConfigurationError(f"charter cannot be read: {error}") from error
    known = {member.id for member in charter.members}
    for agreement in charter.agreements:
        for member in (
            agreement.consumer,
            *agreement.providers,
            *agreement.lookup,
            *agreement.lists,
            *agreement.writes,
        ):
            if member not in known:
                raise ConfigurationError(
                    f"agreement `{agreement.id}` names `{member}`, which is not a member; members are "
                    f"{', '.join(sorted(known))}"
                )
    return charter


def charter_of(files: Path) -> Charter:
    """Return the charter among the demo's files.

    Raises:
        ConfigurationError: as `read_charter`.
    """
    return read_charter((files / "federation.yaml").read_text(encoding="utf-8"))
