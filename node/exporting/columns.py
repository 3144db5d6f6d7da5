"""Which columns an export has: what the consumer's own schema shows of a list (policy R20), one value a row.

A field that is denied whatever the row is no column at all: a column of nulls would look like missing data.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from graphql import (
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    get_named_type,
    is_leaf_type,
    is_required_argument,
)

from federation.contract.errors import BadInputError, FieldDeniedError, NotFoundError
from federation.contract.identifiers import PERSON
from node.policy.errors import nearest

JSON_KIND: Final = "JSON"


@dataclass(frozen=True, slots=True)
class Column:
    """One column: the fields that lead to its value, and the scalar that it holds, `JSON` for lists of scalars."""

    path: tuple[str, ...]
    kind: str

    @property
    def name(self) -> str:
        """Return the column's title, `residence.municipality`."""
        return ".".join(self.path)

    def of(self, node: Mapping[str, Any]) -> Any:
        """Return the value in an object; nothing is below a null."""
        found: Any = node
        for name in self.path:
            if found is None:
                return None
            found = found[name]
        return found


@dataclass(frozen=True, slots=True)
class Choice:
    """A list, its columns, and the columns that the policy denies this consumer for this purpose."""

    root: str
    columns: tuple[Column, ...]
    denied: tuple[str, ...]
    where_type: str | None

    @property
    def query(self) -> str:
        """Return the operation that asks for one page."""
        where = f", $where: {self.where_type}" if self.where_type else ""
        given = ", where: $where" if self.where_type else ""
        return (
            f"query Export($first: Int!, $after: String{where}) {{ "
            f"{self.root}(first: $first, after: $after{given}) {{ "
            f"edges {{ node {{ {_selection([column.path for column in self.columns])} }} }} "
            "pageInfo { hasNextPage endCursor } } }"
        )


def choose(
    served: GraphQLSchema,
    shown: GraphQLSchema,
    entity_keys: Mapping[str, Collection[str]],
    root: str,
    wanted: Sequence[str] = (),
    *,
    filtered: bool = False,
) -> Choice:
    """Choose the columns of an export.

    Args:
        served: the node's schema.
        shown: the part of it that the consumer may see.
        entity_keys: the key fields of each entity type; a citizen's are in no export, or two files could be joined.
        root: the list.
        wanted: columns, dotted where they lead through an object; none is every scalar of the list's type.
        filtered: whether the list is filtered.

    Raises:
        NotFoundError: the node publishes no such list.
        BadInputError: a column is unknown, no scalar, or leads through a list; or the list takes no filter.
        FieldDeniedError: the policy shows the consumer nothing of the list.
    """
    node = _node_type(served, root)
    if shown.query_type is None or root not in shown.query_type.fields:
        raise FieldDeniedError(f"the policy shows this consumer nothing of `{root}` for this purpose")
    asked = [tuple(name.split(".")) for name in dict.fromkeys(wanted)] or list(_scalars(node, entity_keys))
    columns = [Column(path, _kind(node, path, entity_keys)) for path in asked]
    visible = [column for column in columns if _is_shown(shown, node.name, column.path)]
    if not visible:
        raise FieldDeniedError(f"the policy denies every column of `{root}` that is asked for")
    denied = tuple(column.name for column in columns if column not in visible)
    return Choice(root, tuple(visible), denied, _where_type(served, root) if filtered else None)


def _node_type(served: GraphQLSchema, root: str) -> GraphQLObjectType:
    query = served.query_type
    lists = {} if query is None else {n: f for n, f in query.fields.items() if "after" in f.args}
    if root not in lists:
        raise NotFoundError(f"this node publishes no list `{root}`{nearest(root, tuple(lists))}")
    edges = _below(get_named_type(lists[root].type), "edges")
    node = _below(edges, "node")
    if not isinstance(node, GraphQLObjectType):
        raise BadInputError(f"`{root}` lists objects of several types, and a file has the columns of one")
    return node


def _below(above: Any, name: str) -> Any:
    return get_named_type(above.fields[name].type)


def _scalars(node: GraphQLObjectType, keys: Mapping[str, Collection[str]]) -> Iterator[tuple[str, ...]]:
    """Yield the fields that a row holds by themselves: leaves without arguments."""
    for name, found in node.fields.items():
        if is_leaf_type(get_named_type(found.type)) and not found.args and not _names_a_citizen(node, name, keys):
            yield (name,)


def _kind(node: GraphQLObjectType, path: Sequence[str], keys: Mapping[str, Collection[str]]) -> str:
    above: Any = node
    for at, name in enumerate(path):
        written = ".".join(path[: at + 1])
        if not isinstance(above, GraphQLObjectType) or name not in above.fields:
            known = above.fields if isinstance(above, GraphQLObjectType) else ()
            raise BadInputError(f"column `{written}` is no field of `{above.name}`{nearest(name, tuple(known))}")
        if _names_a_citizen(above, name, keys):
            raise BadInputError(f"column `{written}` is the node's own name of a citizen, which never leaves in a file")
        found = above.fields[name]
        if any(is_required_argument(argument) for argument in found.args.values()):
            raise BadInputError(f"column `{written}` needs arguments, and a column has none")
        above, several = get_named_type(found.type), _is_list(found.type)
        last = at == len(path) - 1
        if last and is_leaf_type(above):
            return JSON_KIND if several else str(above.name)
        if several:
            raise BadInputError(f"column `{written}` is a list of objects, and a row has one value a column")
    raise BadInputError(f"column `{'.'.join(path)}` is an object; name a field of it, `{'.'.join(path)}.…`")


def _is_list(kind: GraphQLOutputType) -> bool:
    bare = kind.of_type if isinstance(kind, GraphQLNonNull) else kind
    return isinstance(bare, GraphQLList)


def _names_a_citizen(above: GraphQLObjectType, name: str, keys: Mapping[str, Collection[str]]) -> bool:
    return above.name == PERSON and name in keys.get(PERSON, ())


def _is_shown(shown: GraphQLSchema, type_name: str, path: Sequence[str]) -> bool:
    above: Any = shown.type_map.get(type_name)
    for name in path:
        if not isinstance(above, GraphQLObjectType) or name not in above.fields:
            return False
        above = get_named_type(above.fields[name].type)
    return True


def _where_type(served: GraphQLSchema, root: str) -> str:
    assert served.query_type is not None  # `_node_type` found the list in it
    argument = served.query_type.fields[root].args.get("where")
    if argument is None:
        raise BadInputError(f"`{root}` takes no filter at this node; its mapping names none")
    return str(argument.type)


def _selection(paths: Sequence[Sequence[str]]) -> str:
    """Return the selection set of paths, those with the same beginning under one field."""
    below: dict[str, list[Sequence[str]]] = {}
    for first, *rest in paths:
        below.setdefault(first, []).extend([rest] if rest else [])
    return " ".join(name if not rest else f"{name} {{ {_selection(rest)} }}" for name, rest in below.items())
