"""A node's own officers act at once: their acts hold here before the operators publish them to everybody.

An officer who suspends an agreement must not wait for three operators. The act lies as a file beside the node's state,
signed like every act; the node judges its member list together with it. Only acts that take something away can matter
here, because an act that gives needs the other parties' too. An act is removed once the published list holds it.
"""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

import msgspec

from federation.contract.members import AgreementAct, MemberList
from federation.trust.agreements import judged, with_act

ACTS_FOLDER: Final = "acts"
_log = logging.getLogger("crocevia.node.membership")


class LocalAct(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The content of a file in the folder: which agreement, and the act."""

    agreement: str
    act: AgreementAct


class PublishedMembers(Protocol):
    """The member list as it was published."""

    def current(self) -> MemberList:
        """Return the list in force.

        Raises:
            RegistryStaleError: there is none.
        """
        ...


@dataclass(slots=True)
class LocalActs:
    """The member list in force here: the published one, and what our own officers did since."""

    published: PublishedMembers
    folder: Path
    _seen: tuple[MemberList, int] | None = field(default=None, repr=False)
    _judged: MemberList | None = field(default=None, repr=False)

    def current(self) -> MemberList:
        """Return the list in force here.

        Raises:
            RegistryStaleError: there is none.
        """
        listed = self.published.current()
        changed = self._changed()
        if self._judged is None or self._seen is None or self._seen[0] is not listed or self._seen[1] != changed:
            self._judged, self._seen = self._with_acts(listed), (listed, changed)
        return self._judged

    def _changed(self) -> int:
        try:
            return os.stat(self.folder).st_mtime_ns  # noqa: PTH116  # before every request: half the time of a path's own
        except OSError:
            return 0

    def _with_acts(self, listed: MemberList) -> MemberList:
        acts = list(self._acts())
        if not acts:
            return listed
        agreements = []
        for agreement in listed.agreements:
            for local in acts:
                if local.agreement == agreement.id:
                    agreement = with_act(agreement, local.act)  # noqa: PLW2901  # each act changes it again
            agreements.append(agreement)
        return judged(msgspec.structs.replace(listed, agreements=tuple(agreements)))

    def _acts(self) -> list[LocalAct]:
        found = []
        for path in sorted(self.folder.glob("*.json")):
            try:
                found.append(msgspec.json.decode(path.read_bytes(), type=LocalAct))
            except (OSError, msgspec.MsgspecError):
                _log.exception("`%s` is not an officer's act and counts for nothing", path)
        return found
