"""What a node decided and disclosed, as it stands in answers, receipts and ledgers: never a value."""

from __future__ import annotations

from typing import Final

import msgspec

DENY: Final = "deny"
CLEAR: Final = "clear"


class FieldDecision(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True, omit_defaults=True):
    """The forms in which one field coordinate was answered in one operation.

    `form` is a form of the policy language (`clear`, `year`, `band`, … or `deny`); `grants` are the ids of the grants
    that allow it, `law` their law references, `retain` the shortest duty of erasure among them (ISO 8601 duration).
    `conditional` says that the row decided as well. `join_key` marks a key that travels between gateway and nodes only.
    """

    coordinate: str
    form: str
    grants: tuple[str, ...] = ()
    law: tuple[str, ...] = ()
    retain: str | None = None
    conditional: bool = False
    join_key: bool = False

    @property
    def disclosed(self) -> bool:
        """Whether something of the value was shown to the consumer."""
        return self.form != DENY and not self.join_key


class PolicyVersion(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """The one bundle that decided an operation at a node (policy R36)."""

    digest: str
    revision: int
