"""A node is asked for nothing that the consumer did not sign.

The gateway is not trusted (docs/adr/0002): it may narrow what a consumer asked for and never widen it. Two questions,
answered from what the consumer and the exchange signed:

1. does every field with its arguments stand in the consumer's operation, join keys aside?
2. does every citizen's key come with a statement of the exchange about this very request?

Whether the agreement covers a type's field is not asked here: it is part of the decision (`node.enforcement.decide`);
one field too many costs that field and not the answer. Which lists and look-ups it opens is asked here: policies
decide rows and fields, and know nothing of the roots through which they are reached.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from federation.contract import changes, policy_view
from federation.contract.coverage import AskedField
from federation.contract.errors import FieldDeniedError, ScopeError
from federation.contract.evidence import Path
from federation.contract.identifiers import INTERNAL_PREFIX, PERSON
from federation.contract.members import AgreedProvider
from federation.contract.messages import TranslationStatement

_ENTITIES = "_entities"
_OPEN_ROOTS = frozenset({_ENTITIES, "_service"}) | policy_view.ROOTS
"""Roots that need no agreement of their own: what they lead to is decided field by field, or is about nobody."""
_OPEN_TYPES = policy_view.TYPES | changes.TYPES
"""Types of which a root gives everything or nothing."""
_ROOTS = frozenset({"Query", "Mutation"})


@dataclass(frozen=True, slots=True)
class EntityKeys:
    """The key fields of each entity type of this node's schema: `{"Citizen": {"id"}}`."""

    of_type: Mapping[str, frozenset[str]]

    def is_key(self, field: AskedField) -> bool:
        """Say whether the field is a join key asked under a response key reserved for the gateway."""
        coordinate = field.coordinate
        return field.response_key.startswith(INTERNAL_PREFIX) and coordinate.field_name in self.of_type.get(
            coordinate.type_name, frozenset()
        )


def require_within_consumers_operation(
    node_asks: frozenset[AskedField], consumer_asks: frozenset[AskedField], keys: EntityKeys
) -> None:
    """Refuse what the consumer did not sign (1).

    Raises:
        ScopeError: names the first coordinate that goes beyond, or a reserved response key that carries no key.
    """
    signed = {(field.coordinate, field.arguments) for field in consumer_asks}
    for field in sorted(node_asks, key=lambda asked: asked.coordinate):
        name = field.coordinate
        if name.field_name in _OPEN_ROOTS or name.type_name in _OPEN_TYPES or keys.is_key(field):
            continue
        if field.response_key.startswith(INTERNAL_PREFIX):
            raise ScopeError(f"`{field.coordinate}` is not a key and may not be asked as one")
        if (field.coordinate, field.arguments) not in signed:
            raise ScopeError(f"the consumer's signed operation does not ask for `{field.coordinate}` in this way")


def require_agreed_roots(node_asks: Iterable[AskedField], provider: AgreedProvider) -> None:
    """Refuse lists, look-ups and mutations that the agreement does not open at this node.

    The gateway plans none of them; whoever asks past it meets the same agreement.

    Raises:
        FieldDeniedError: names every such root.
    """
    roots = {field.coordinate for field in node_asks if field.coordinate.type_name in _ROOTS}
    closed = sorted(
        str(root)
        for root in roots
        if root.field_name not in _OPEN_ROOTS and not provider.covers(root.type_name, root.field_name)
    )
    if closed:
        raise FieldDeniedError(f"the agreement does not open {', '.join(closed)} at this node", coordinates=closed)


def require_no_identifiers(node_asks: frozenset[AskedField], keys: EntityKeys) -> None:
    """Refuse what would show a consumer, or take from it, this node's own names for citizens.

    Pseudonyms are translated on the way through the gateway only: a consumer that asks a node directly names citizens
    by an exact look-up and reads none of the node's identifiers, or two consumers could link their views.

    Raises:
        ScopeError: names the first such field.
    """
    persons_keys = keys.of_type.get(PERSON, frozenset())
    identifiers = [
        field.coordinate
        for field in node_asks
        if field.response_key.startswith(INTERNAL_PREFIX)
        or field.coordinate.field_name == _ENTITIES
        or (field.coordinate.type_name == PERSON and field.coordinate.field_name in persons_keys)
    ]
    if identifiers:
        first = min(identifiers)
        raise ScopeError(f"`{first}` is answered through the gateway only, in the asking member's own pseudonyms")


def asked_representations(node_asks: Iterable[AskedField]) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """Yield every entity that the operation names, in a variable, a default, or the text itself, with its place.

    They are read from the arguments as they will be used, so that no way of writing one goes unseen. The place is where
    the entity stands in the answer.
    """
    for field in node_asks:
        if field.coordinate.field_name == _ENTITIES:
            given = msgspec.json.decode(field.arguments)["representations"]
            yield from (((field.response_key, at), each) for at, each in enumerate(given) if isinstance(each, dict))


def asked_citizens(node_asks: Iterable[AskedField]) -> Iterator[tuple[Path, str]]:
    """Yield every citizen whom the operation names by a pseudonym of this node, with the place in the answer."""
    for place, representation in asked_representations(node_asks):
        if representation.get("__typename") == PERSON and isinstance(key := representation.get("id"), str):
            yield place, key


def require_translated_keys(
    representations: Iterable[Mapping[str, Any]],
    statements: Iterable[TranslationStatement],
    member: str,
    purpose: str,
    request_digest: str,
) -> None:
    """Refuse a citizen whom the exchange did not translate for this request (2).

    `statements` are those whose signatures verified; what they say is judged here.

    Raises:
        ScopeError: a citizen's key without a statement for this member, purpose and request.
    """
    translated = {
        pid
        for statement in statements
        if statement.is_for(member, purpose, request_digest)
        for pid in statement.pids
        if pid is not None
    }
    for representation in representations:
        key = representation.get("id")
        if representation.get("__typename") == PERSON and (not isinstance(key, str) or key not in translated):
            raise ScopeError("a citizen's key was not translated by the exchange for this request")
