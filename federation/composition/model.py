"""A schema as plain values: what a document declares, with definitions and extensions of one type put together.

Types of fields are kept as their printed text (`[Citizen!]!`), which compares and prints for nothing; default values
and directive arguments as syntax nodes, since their meaning depends on where they stand.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, assert_never

from graphql import (
    BooleanValueNode,
    DirectiveDefinitionNode,
    EnumTypeDefinitionNode,
    EnumTypeExtensionNode,
    EnumValueNode,
    FloatValueNode,
    InputObjectTypeDefinitionNode,
    InputObjectTypeExtensionNode,
    InterfaceTypeDefinitionNode,
    InterfaceTypeExtensionNode,
    IntValueNode,
    ListTypeNode,
    ListValueNode,
    NamedTypeNode,
    NonNullTypeNode,
    NullValueNode,
    ObjectTypeDefinitionNode,
    ObjectTypeExtensionNode,
    ObjectValueNode,
    ScalarTypeDefinitionNode,
    ScalarTypeExtensionNode,
    SchemaDefinitionNode,
    SchemaExtensionNode,
    StringValueNode,
    UnionTypeDefinitionNode,
    UnionTypeExtensionNode,
)
from graphql.language.print_string import print_string
from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from graphql import (
        DefinitionNode,
        DirectiveNode,
        DocumentNode,
        FieldDefinitionNode,
        InputValueDefinitionNode,
        TypeNode,
        ValueNode,
    )


class Kind(StrEnum):
    """The kinds of named types, as messages call them."""

    SCALAR = "Scalar"
    OBJECT = "Object"
    INTERFACE = "Interface"
    UNION = "Union"
    ENUM = "Enum"
    INPUT = "Input"


BUILT_IN_SCALARS = frozenset({"String", "Int", "Float", "Boolean", "ID"})
ROOTS = ("query", "mutation", "subscription")


@dataclass(frozen=True, slots=True)
class Applied:
    """One application of a directive; `name` without `@`, `extended` when it stands on an extension of a type."""

    name: str
    arguments: Mapping[str, ValueNode]
    extended: bool = False

    def text(self, argument: str) -> str | None:
        """Return a string or enum argument, or None when it is absent or something else."""
        match self.arguments.get(argument):
            case StringValueNode(value=value) | EnumValueNode(value=value):
                return value
            case _:
                return None

    def flag(self, argument: str, *, default: bool) -> bool:
        """Return a Boolean argument."""
        value = self.arguments.get(argument)
        return value.value if isinstance(value, BooleanValueNode) else default

    def texts(self, argument: str) -> tuple[str, ...]:
        """Return a list of strings (a single string counts as a list of one)."""
        return tuple(node.value for node in _items(self.arguments.get(argument)) if isinstance(node, StringValueNode))

    def alternatives(self, argument: str) -> tuple[tuple[str, ...], ...]:
        """Return a list of lists of strings."""
        return tuple(
            tuple(node.value for node in _items(inner) if isinstance(node, StringValueNode))
            for inner in _items(self.arguments.get(argument))
        )

    @override
    def __str__(self) -> str:
        if not self.arguments:
            return f"@{self.name}"
        return f"@{self.name}({', '.join(f'{name}: {literal(value)}' for name, value in self.arguments.items())})"


@dataclass(frozen=True, slots=True)
class InputValue:
    """An argument or an input field."""

    name: str
    type: str
    default: ValueNode | None = None
    description: str | None = None
    directives: tuple[Applied, ...] = ()

    @property
    def required(self) -> bool:
        """Whether a caller must give it."""
        return self.type.endswith("!") and self.default is None


@dataclass(frozen=True, slots=True)
class Field:
    """A field of an object or interface type."""

    name: str
    type: str
    arguments: Mapping[str, InputValue]
    description: str | None = None
    directives: tuple[Applied, ...] = ()


@dataclass(frozen=True, slots=True)
class EnumValue:
    """A value of an enum."""

    name: str
    description: str | None = None
    directives: tuple[Applied, ...] = ()


@dataclass(frozen=True, slots=True)
class Type:
    """A named type: everything that definitions and extensions of it say together.

    Of `fields`, `inputs`, `members` and `values` only what the kind has is filled. `defined` is False when the document
    only extends the type.
    """

    name: str
    kind: Kind
    description: str | None = None
    directives: tuple[Applied, ...] = ()
    interfaces: tuple[str, ...] = ()
    fields: Mapping[str, Field] = field(default_factory=dict)
    inputs: Mapping[str, InputValue] = field(default_factory=dict)
    members: tuple[str, ...] = ()
    values: Mapping[str, EnumValue] = field(default_factory=dict)
    defined: bool = True


@dataclass(frozen=True, slots=True)
class Directive:
    """A directive definition."""

    name: str
    arguments: Mapping[str, InputValue]
    locations: tuple[str, ...]
    repeatable: bool = False
    description: str | None = None


@dataclass(frozen=True, slots=True)
class Model:
    """Everything that one document declares. `roots` maps operation kinds to the root types that are stated."""

    types: Mapping[str, Type]
    directives: Mapping[str, Directive]
    roots: Mapping[str, str]
    applied: tuple[Applied, ...]
    description: str | None = None


def named(type_text: str) -> str:
    """Return the named type inside a printed type: `Citizen` of `[Citizen!]!`."""
    return type_text.strip("[]!")


def read_model(document: DocumentNode) -> Model:
    """Read the type system definitions of a document; executable definitions are passed over."""
    types: dict[str, _TypeParts] = {}
    directives: dict[str, Directive] = {}
    roots: dict[str, str] = {}
    applied: list[Applied] = []
    description: str | None = None
    for node in document.definitions:
        match node:
            case SchemaDefinitionNode() | SchemaExtensionNode():
                roots |= {item.operation.value: item.type.name.value for item in node.operation_types or ()}
                applied += _applied(node.directives, extended=isinstance(node, SchemaExtensionNode))
                if isinstance(node, SchemaDefinitionNode) and node.description:
                    description = node.description.value
            case DirectiveDefinitionNode():
                directives[node.name.value] = _directive(node)
            case _ if (shape := _SHAPES.get(type(node))) is not None:
                name: str = node.name.value  # type: ignore[attr-defined]  # every node of _SHAPES has a name
                parts = types.get(name)
                if parts is None:
                    parts = types[name] = _TypeParts(name, shape.kind)
                parts.add(node, shape)
            case _:
                pass
    return Model({name: parts.built() for name, parts in types.items()}, directives, roots, tuple(applied), description)


@dataclass(frozen=True, slots=True)
class _Shape:
    kind: Kind
    extension: bool


_SHAPES: dict[type[DefinitionNode], _Shape] = {
    ScalarTypeDefinitionNode: _Shape(Kind.SCALAR, extension=False),
    ScalarTypeExtensionNode: _Shape(Kind.SCALAR, extension=True),
    ObjectTypeDefinitionNode: _Shape(Kind.OBJECT, extension=False),
    ObjectTypeExtensionNode: _Shape(Kind.OBJECT, extension=True),
    InterfaceTypeDefinitionNode: _Shape(Kind.INTERFACE, extension=False),
    InterfaceTypeExtensionNode: _Shape(Kind.INTERFACE, extension=True),
    UnionTypeDefinitionNode: _Shape(Kind.UNION, extension=False),
    UnionTypeExtensionNode: _Shape(Kind.UNION, extension=True),
    EnumTypeDefinitionNode: _Shape(Kind.ENUM, extension=False),
    EnumTypeExtensionNode: _Shape(Kind.ENUM, extension=True),
    InputObjectTypeDefinitionNode: _Shape(Kind.INPUT, extension=False),
    InputObjectTypeExtensionNode: _Shape(Kind.INPUT, extension=True),
}


class _TypeParts:
    """A type while its definition and extensions are read."""

    __slots__ = (
        "defined",
        "description",
        "directives",
        "fields",
        "inputs",
        "interfaces",
        "kind",
        "members",
        "name",
        "values",
    )

    def __init__(self, name: str, kind: Kind) -> None:
        self.name = name
        self.kind = kind
        self.description: str | None = None
        self.directives: list[Applied] = []
        self.interfaces: dict[str, None] = {}
        self.fields: dict[str, Field] = {}
        self.inputs: dict[str, InputValue] = {}
        self.members: dict[str, None] = {}
        self.values: dict[str, EnumValue] = {}
        self.defined = False

    def add(self, node: Any, shape: _Shape) -> None:
        """Add what one definition or extension says; `node` is of the class that `shape` stands for."""
        self.directives += _applied(node.directives, extended=shape.extension)
        if not shape.extension:
            self.defined = True
            self.kind = shape.kind
            self.description = node.description.value if node.description else None
        match shape.kind:
            case Kind.OBJECT | Kind.INTERFACE:
                self.interfaces |= {item.name.value: None for item in node.interfaces or ()}
                for item in node.fields or ():
                    self.fields[item.name.value] = _field(item)
            case Kind.INPUT:
                for item in node.fields or ():
                    self.inputs[item.name.value] = _input_value(item)
            case Kind.UNION:
                self.members |= {item.name.value: None for item in node.types or ()}
            case Kind.ENUM:
                for item in node.values or ():
                    self.values[item.name.value] = EnumValue(
                        item.name.value, item.description.value if item.description else None, _applied(item.directives)
                    )
            case Kind.SCALAR:
                pass
            case _:
                assert_never(shape.kind)

    def built(self) -> Type:
        return Type(
            self.name,
            self.kind,
            self.description,
            tuple(self.directives),
            tuple(self.interfaces),
            self.fields,
            self.inputs,
            tuple(self.members),
            self.values,
            self.defined,
        )


def _directive(node: DirectiveDefinitionNode) -> Directive:
    return Directive(
        node.name.value,
        {item.name.value: _input_value(item) for item in node.arguments or ()},
        tuple(item.value for item in node.locations or ()),
        node.repeatable,
        node.description.value if node.description else None,
    )


def _field(node: FieldDefinitionNode) -> Field:
    return Field(
        node.name.value,
        type_text(node.type),
        {item.name.value: _input_value(item) for item in node.arguments or ()},
        node.description.value if node.description else None,
        _applied(node.directives),
    )


def _input_value(node: InputValueDefinitionNode) -> InputValue:
    return InputValue(
        node.name.value,
        type_text(node.type),
        node.default_value,
        node.description.value if node.description else None,
        _applied(node.directives),
    )


def _applied(nodes: Iterable[DirectiveNode] | None, *, extended: bool = False) -> tuple[Applied, ...]:
    if not nodes:
        return ()
    return tuple(
        Applied(node.name.value, {item.name.value: item.value for item in node.arguments or ()}, extended)
        for node in nodes
    )


def type_text(node: TypeNode) -> str:
    """Print a type reference."""
    match node:
        case NamedTypeNode(name=name):
            return name.value
        case NonNullTypeNode(type=inner):
            return f"{type_text(inner)}!"
        case ListTypeNode(type=inner):
            return f"[{type_text(inner)}]"
        case _:
            raise TypeError(node)


def literal(node: ValueNode) -> str:
    """Print a constant value, with the fields of objects in their order."""
    match node:
        case StringValueNode(value=value):
            return print_string(value)
        case BooleanValueNode(value=flag):
            return "true" if flag else "false"
        case IntValueNode(value=value) | FloatValueNode(value=value) | EnumValueNode(value=value):
            return value
        case NullValueNode():
            return "null"
        case ListValueNode(values=values):
            return f"[{', '.join(map(literal, values or ()))}]"
        case ObjectValueNode(fields=fields):
            return f"{{{', '.join(f'{item.name.value}: {literal(item.value)}' for item in fields or ())}}}"
        case _:
            raise TypeError(node)


def _items(value: ValueNode | None) -> tuple[ValueNode, ...]:
    match value:
        case None:
            return ()
        case ListValueNode(values=values):
            return tuple(values or ())
        case _:
            return (value,)
