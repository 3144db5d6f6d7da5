"""Fields that a member's own code resolves, because no column of its register holds them.

A module of the member's declares them, `custom: module:attribute` in node.yaml names it; the guide is
docs/custom-fields.md. Such a field is decided, recorded and answered as any other. The module is not asked about a row
for which the field is denied.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol, TypeAlias

from node.data.keyed import Keyed
from node.policy.forms import Form

Row: TypeAlias = Mapping[str, Any]
"""What a field needs of one row of the register, by name, before any mask."""

Resolve: TypeAlias = Callable[[Sequence[Row]], Awaitable[Sequence[Any]]]
"""From rows to their values, in the same order. An exception in a value's place says that this one is not to be had."""

Show: TypeAlias = "Callable[[Any, Form, Asking, str | None], Any]"
"""From a value, the form that its row gives, the round of questions and the person it is about to what is answered."""

_SECONDS: Final = 2.0


async def nothing_to_close() -> None:
    """Close nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomField:
    """A field that Python resolves.

    Args:
        on: the type that has it: one with rows, such as `Citizen`, or one that the module declares.
        name: its name in the schema.
        type: what it gives, as a Python annotation: `str`, a scalar of the vocabulary, a type declared with Strawberry,
            or a list of one of these. It may always be null.
        iri: the term of a published vocabulary that it stands for.
        category: of personal data, as in the federation's vocabulary.
        en: what it is, in English.
        it: the same in Italian.
        needs: what `resolve` is given of each row: fields and attributes of the mapping, or of the Python object.
        resolve: gives the values of any number of rows at once. It must not block, nor keep what it is given.
        seconds: how long it may take before the field is null with an error.
    """

    on: str
    name: str
    type: Any
    iri: str
    category: str
    en: str
    it: str
    needs: tuple[str, ...]
    resolve: Resolve = field(repr=False)
    seconds: float = _SECONDS

    @property
    def coordinate(self) -> str:
        """The field as policies name it."""
        return f"{self.on}.{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomEntity:
    """A type of the module with the key `id`, whose objects Python finds: other members may refer to them.

    Args:
        type: the class, declared with `entity` of `node.vocabulary.terms`.
        resolve: gives the objects of any number of keys at once, `{"id": key}` each; None for a key that is nobody's.
        subject: the Python attribute that holds the citizen whom an object is about, by this member's own pseudonym;
            empty for a type that is about nobody.
        seconds: how long it may take before the objects are null with an error.
    """

    type: type
    resolve: Resolve = field(repr=False)
    subject: str = ""
    seconds: float = _SECONDS

    @property
    def name(self) -> str:
        """The type's name in the schema."""
        return str(self.type.__strawberry_definition__.name)  # type: ignore[attr-defined]  # `entity` gives it

    @property
    def coordinate(self) -> str:
        """What is asked for, as the log names it."""
        return self.name


class Asked(Protocol):
    """What a member's code is asked for: the values of a field, or the objects of an entity."""

    @property
    def coordinate(self) -> str:
        """Its name."""
        ...

    @property
    def resolve(self) -> Resolve:
        """The member's code."""
        ...

    @property
    def seconds(self) -> float:
        """How long it may take."""
        ...


@dataclass(frozen=True, slots=True)
class CustomFields:
    """What a member's module declares. `close` is called once, when the node stops."""

    fields: tuple[CustomField, ...] = ()
    entities: tuple[CustomEntity, ...] = field(default=(), kw_only=True)
    close: Callable[[], Awaitable[None]] = field(default=nothing_to_close, repr=False)


@dataclass(frozen=True, slots=True)
class ServedCustom:
    """Custom fields and entities as the node's schema has them.

    `fields` are found by type and name, `entities` by type. `attributes` say, for each type that the module declares,
    under which Python attribute a field's value is.
    """

    fields: Mapping[tuple[str, str], CustomField]
    entities: Mapping[str, CustomEntity]
    attributes: Mapping[str, Mapping[str, str]]
    close: Callable[[], Awaitable[None]] = field(default=nothing_to_close, repr=False)


NO_CUSTOM: Final = ServedCustom({}, {}, {})


@dataclass(frozen=True, slots=True)
class CustomCell:
    """A custom field, or the objects of a custom entity, where an operation selects it.

    `path` holds the response keys from the root. The row chooses one of `forms`, and `show` makes the answer.
    """

    field: Asked
    path: tuple[str, ...]
    forms: tuple[Form, ...]
    show: Show

    @property
    def key(self) -> str:
        """The response key."""
        return self.path[-1]


@dataclass(frozen=True, slots=True)
class Question:
    """A custom field of one object of the answer, to be resolved once all objects are made; or one entity's key."""

    cell: CustomCell
    form: Form
    row: Row
    person: str | None
    into: dict[str, Any]


@dataclass(slots=True)
class Asking:
    """One round of questions: the keyed masks of the run, whose data was touched, and what objects ask in turn."""

    keyed: Keyed
    subjects: set[str | None]
    questions: list[Question] = field(default_factory=list)
