"""The query plan: what to ask of which member, in which order, and how the answers make one response.

A plan is a directed acyclic graph of fetches. A fetch runs as soon as the fetches named in `after` are done, so a slow
member delays only what depends on it. Every fetch writes into one merged tree, under *source keys*; `Plan.response`
says how that tree is read out under the names, and in the order, that the client asked for.

The planner writes these values and the executor reads them; neither changes them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class OperationKind(StrEnum):
    """The kind of a GraphQL operation."""

    QUERY = "query"
    MUTATION = "mutation"
    SUBSCRIPTION = "subscription"


@dataclass(frozen=True, slots=True)
class Condition:
    """A `@skip` or `@include` on a variable: holds when the variable's value equals `wanted`."""

    variable: str
    wanted: bool


Conditions = tuple[tuple[Condition, ...], ...]
"""Alternatives: any of them must hold, and an alternative holds when all its conditions do. Empty: always holds."""


@dataclass(frozen=True, slots=True)
class Key:
    """Path step: the field stored under this source key."""

    name: str


@dataclass(frozen=True, slots=True)
class Each:
    """Path step: every element of a list (one level)."""


@dataclass(frozen=True, slots=True)
class OnType:
    """Path step: only objects whose `__typename` is known and one of these."""

    names: frozenset[str]


PathStep = Key | Each | OnType
Path = tuple[PathStep, ...]
"""From the root of the merged tree to the objects that a fetch extends."""


@dataclass(frozen=True, slots=True)
class Selection:
    """One field in a subgraph operation, as its answer will hold it.

    Args of note: `key` is the response key in the subgraph's answer and the source key in the merged tree; `type` is
    the printed GraphQL type as that subgraph declares it (`[Citizen!]`), `selections` is empty for leaves. `on` is
    empty for a field selected on every object, else the concrete typenames (as the subgraph names them) that carry it.
    `conditions` must all hold, or the subgraph leaves the field out.
    """

    key: str
    name: str
    type: str
    selections: tuple[Selection, ...] = ()
    on: frozenset[str] = frozenset()
    conditions: Conditions = ()


@dataclass(frozen=True, slots=True)
class RepresentationField:
    """One field of an entity representation: sent as `name`, read from source key `source` of the merged object.

    `selections` is empty for scalars and enums. `on` restricts the field to objects of these concrete typenames
    (a `@requires` with a fragment). A composite field of abstract type carries `__typename` as a field of its own.
    """

    name: str
    source: str
    selections: tuple[RepresentationField, ...] = ()
    on: frozenset[str] = frozenset()


NUMBERED = "\x00"
"""Stands in the texts of `Contexts` where the number of a set of values goes; no GraphQL text can hold it."""


@dataclass(frozen=True, slots=True)
class ContextSource:
    """Where an argument is read: `up` objects above the entity, if that is of these typenames (of any, when empty).

    `read` leads from that object to one leaf; lists on the way make the value a list.
    """

    up: int
    on: frozenset[str]
    read: RepresentationField


@dataclass(frozen=True, slots=True)
class ContextArgument:
    """An argument that the gateway fills from an object above (`@fromContext`).

    The first of `sources`, the nearest, that fits an entity's ancestors holds the value. An entity whose value is null
    is not asked about when `type` allows no null.
    """

    variable: str
    type: str
    sources: tuple[ContextSource, ...]


@dataclass(frozen=True, slots=True)
class Contexts:
    """Arguments from contexts, and how to ask about entities that have different values of them in one request.

    Each distinct set of values has an `_entities` field of its own: `field`, with the variables that `definitions`
    defines. `numbered` makes these texts, `alias`, `variable` and the arguments' variables those of one set; the
    fetch's own text asks for set 0.
    """

    arguments: tuple[ContextArgument, ...]
    alias: str = ""
    variable: str = ""
    definitions: str = ""
    field: str = ""
    suffix: str = ""

    def numbered(self, text: str, number: int) -> str:
        """Return a text or name for one set of values."""
        return text.replace(NUMBERED, f"{self.suffix}{number}")


@dataclass(frozen=True, slots=True)
class Reference:
    """One way to tell a member which entity is meant: by one of its keys.

    It can be used where nothing in `key` is null, at any depth; `fields` is all that is sent then: the key, and what is
    required beside it, as it is. `on` are the typenames of the objects that have this key; of any, when empty.
    """

    key: tuple[RepresentationField, ...]
    fields: tuple[RepresentationField, ...]
    on: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class EntityInput:
    """The entities that one `_entities` field of a fetch is asked about.

    `paths` find the objects; `typename` is sent as `__typename` when it is constant (a concrete type, or the interface
    by which the member knows the object), else the object's own is sent. The first of `references` that can be used is
    sent, and an object for which none can is not asked about. With `contexts`, arguments of the selected fields are
    filled from objects above.
    """

    alias: str
    variable: str
    paths: tuple[Path, ...]
    references: tuple[Reference, ...]
    typename: str | None
    selections: tuple[Selection, ...]
    conditions: Conditions = ()
    contexts: Contexts | None = None


@dataclass(frozen=True, slots=True)
class Fetch:
    """One request to one member.

    `selections` is the root selection for a root fetch and empty for an entity fetch, whose `entities` each carry their
    own. `variables` are the client's variables that the operation text uses. The whole fetch is left out when one of
    its `conditions` does not hold, and its dependants see no new fields.
    """

    id: int
    member: str
    kind: OperationKind
    operation: str
    variables: tuple[str, ...]
    after: tuple[int, ...] = ()
    selections: tuple[Selection, ...] = ()
    entities: tuple[EntityInput, ...] = ()
    conditions: Conditions = ()


@dataclass(frozen=True, slots=True)
class OutputField:
    """One field of the client's response.

    `response_name` is what the client reads, `source` the key in the merged tree, `type` the printed type in the API
    schema (it decides null propagation). A source key that no fetch has written reads as null. `on` and `conditions` as
    in `Selection`; a response name may occur several times with disjoint `on`. `typename_literal` is set for
    `__typename` on a type that is known without asking (a root type). `types`, when not empty, are the typenames that
    clients may see here: any other object is null. `denied` fields were pruned before planning: null and an error.
    """

    response_name: str
    source: str
    coordinate: str
    type: str
    selections: tuple[OutputField, ...] = ()
    on: frozenset[str] = frozenset()
    conditions: Conditions = ()
    typename_literal: str | None = None
    types: frozenset[str] = frozenset()
    denied: bool = False


@dataclass(frozen=True, slots=True)
class DeferredBlock:
    """A `@defer` fragment: delivered after the initial response, once `fetches` are done.

    When `conditions` do not hold (`@defer(if: $now)`), the block is not delivered and its fetches are initial ones: the
    initial response then has the same fields, under the opposite conditions.
    """

    label: str | None
    path: Path
    fetches: tuple[int, ...]
    response: tuple[OutputField, ...]
    conditions: Conditions = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """How one operation is answered. `fetches` are in topological order; for a mutation, in the client's order."""

    kind: OperationKind
    fetches: tuple[Fetch, ...]
    response: tuple[OutputField, ...]
    deferred: tuple[DeferredBlock, ...] = ()
    introspection: str | None = None
    """An operation of `__schema` and `__type` fields only, to be run on the API schema and merged at the root."""
    best_effort: bool = False
    """True when the search budget ended before the cheapest plan was proved."""
