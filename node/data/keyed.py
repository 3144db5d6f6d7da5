"""The masks that need the node's key, for one run: for whom and for what they are made (policy section 4)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from node.policy.forms import DateShift, Form, Hash, Pseudonym, Token
from node.policy.keyed_masks import KeyScope, Seal, date_shift, derive_key, keyed_hash, pseudonym, token


@dataclass(frozen=True, slots=True)
class MaskKeys:
    """What keyed masks need: the node's master secret of 32 bytes, its sealing function, and the epoch."""

    master: bytes = field(repr=False)
    seal: Seal = field(repr=False)
    epoch: str


@dataclass(frozen=True, slots=True)
class Keyed:
    """The keyed masks of one consumer and purpose."""

    consumer: str
    purpose: str
    keys: MaskKeys

    def masked(self, form: Form, type_name: str, name: str, value: Any, person: str | None) -> Any:
        """Return a field's value under a keyed form; any other form leaves it as it is.

        Args:
            form: how the field is shown.
            type_name: the type that has it.
            name: the field.
            value: not null.
            person: the pseudonym of whom it is about.
        """
        scope = KeyScope(self.consumer, self.purpose, self.keys.epoch)
        match form:
            case Pseudonym(shared):
                return pseudonym(derive_key(self.keys.master, "pseudonym", scope, shared, type_name), value)
            case Token(shared):
                return token(self.keys.seal, scope, shared, type_name, value)
            case Hash():
                return keyed_hash(self._of_coordinate(form, scope, f"{type_name}.{name}"), value)
            case DateShift(days):
                # Dates move with their person; a date that is about nobody has nothing to move with.
                key = self._of_coordinate(form, scope, f"{type_name}.{name}")
                return None if person is None else date_shift(key, days, person, value)
            case _:
                return value

    def _of_coordinate(self, form: Form, scope: KeyScope, coordinate: str) -> bytes:
        return derive_key(self.keys.master, str(form.name), scope, None, coordinate)
