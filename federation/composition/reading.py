"""Reads a subgraph's schema: parse, links, canonical names of directives, usual names of root types."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from graphql import DocumentNode, GraphQLError, StringValueNode, parse

from federation.composition.errors import CompositionError, Finding
from federation.composition.links import CORE, FEDERATION, LINK, Link, LinkError, read_links
from federation.composition.model import ROOTS, Applied, Directive, Field, InputValue, Kind, Model, Type, read_model
from federation.composition.repeated import repetitions
from federation.composition.specifications import (
    directives_of,
    federation_directives,
    federation_types,
    known_version,
    single_directives,
)
from federation.composition.standard import standard_directives
from federation.composition.subgraph import CUSTOM, ReadSubgraph, Subgraph

FIRST_VERSION = (1, 0)
_FIRST = Link(FEDERATION, "federation", FIRST_VERSION, "federation")
_SPECIFIED_KINDS: Mapping[str, Kind | None] = {
    **dict.fromkeys(("_Any", "_Entity", "_Service", "_FieldSet", "FieldSet")),
    "link__Import": Kind.SCALAR,
    "link__Purpose": Kind.ENUM,
}
"""Types of the machinery, which are not part of the federated schema, with their kinds where these are insisted on."""
_PURPOSES = {"SECURITY", "EXECUTION"}
_MACHINERY_FIELDS = frozenset({"_entities", "_service"})
_SPECIFICATIONS = frozenset({FEDERATION, LINK, CORE})
_ROOT_TYPES = frozenset(root.capitalize() for root in ROOTS)
_MENTIONED = re.compile(r"@([_A-Za-z][_0-9A-Za-z]*)")
_USABLE_NAME = re.compile(r"\S")
_ALL_NAMES = frozenset(federation_directives((2, 99)))


def read_subgraph(subgraph: Subgraph, enum: str) -> ReadSubgraph:
    """Read a subgraph's schema; `enum` is the value that stands for it in `join__Graph`.

    Raises:
        CompositionError: the schema does not parse, its links cannot be followed, or its root types contradict it.
    """
    if subgraph.name == "_" or not _USABLE_NAME.search(subgraph.name):
        raise _refused(
            subgraph, "INVALID_SUBGRAPH_NAME", f"`{subgraph.name}` is no name for a subgraph: it is reserved"
        )
    try:
        document = parse(subgraph.sdl, no_location=True)
    except GraphQLError as error:
        raise _refused(subgraph, "INVALID_GRAPHQL", error.message) from error
    model = read_model(document)
    links = _links(subgraph, model)
    federation = next((link for link in links if link.identity == FEDERATION), _FIRST)
    version = federation.version or (2, 0)
    names = _canonical_names(links, federation, version)
    if version == FIRST_VERSION:
        # A v1 schema that writes out a definition of v2 means it: there was no other way to say so.
        names = {name: item for name, item in names.items() if name not in model.directives}
    mentioned = names.keys() & set(_MENTIONED.findall(subgraph.sdl))
    if mentioned:
        model = _renamed(model, {name: names[name] for name in mentioned})
    known = _known(model, links, version)
    wrong = tuple(_wrong_types(subgraph, model, federation, version))
    if wrong:
        raise CompositionError(wrong)
    model = _without_machinery(_with_usual_roots(subgraph, model), links, federation, version)
    return ReadSubgraph(
        subgraph,
        enum,
        model,
        links,
        version,
        known,
        {names[name]: name for name in mentioned},
        tuple(_repeated(subgraph, document)),
    )


def _refused(subgraph: Subgraph, code: str, message: str) -> CompositionError:
    return CompositionError([Finding(code, f"[{subgraph.name}] {message}", (subgraph.name,))])


def _links(subgraph: Subgraph, model: Model) -> tuple[Link, ...]:
    """Read and check the links: each specification once, in a version and with elements that exist."""
    try:
        _check_urls(model)
        links = read_links(model.applied)
    except LinkError as error:
        raise _refused(subgraph, error.code, str(error)) from error
    seen: set[str] = set()
    for link in links:
        if link.identity in seen:
            message = f"`{link.identity}` is linked twice"
            raise _refused(subgraph, "INVALID_LINK_DIRECTIVE_USAGE", message)
        seen.add(link.identity)
        if not known_version(link.identity, link.version):
            federation = link.identity.endswith("/federation")
            code = "UNKNOWN_FEDERATION_LINK_VERSION" if federation else "UNKNOWN_LINK_VERSION"
            raise _refused(subgraph, code, f"`{link.url}` is a version that is not known")
        for name in _unknown_imports(link):
            raise _refused(subgraph, "INVALID_LINK_DIRECTIVE_USAGE", f"`{link.url}` has no `{name}` to import")
    return links


def _check_urls(model: Model) -> None:
    """Every linked URL ends in a version, and names a specification before it."""
    for node in model.applied:
        url = node.arguments.get("url")
        if node.name != "link" or not isinstance(url, StringValueNode) or "://" not in url.value:
            continue
        path = [part for part in url.value.split("://", 1)[1].split("/")[1:] if part]
        if not path:
            raise LinkError("INVALID_LINK_IDENTIFIER", f"`{url.value}` has no path, and so names no specification")
        if not re.fullmatch(r"v\d+\.\d+", path[-1]):
            raise LinkError("INVALID_LINK_IDENTIFIER", f"`{url.value}` must end in a version such as `v1.2`")


def _unknown_imports(link: Link) -> Iterator[str]:
    if link.identity == FEDERATION and link.version is not None:
        elements = {f"@{name}" for name in federation_directives(link.version)} | federation_types(link.version)
    elif directives_of(link.identity):
        elements = {f"@{name}" for name in directives_of(link.identity)}
    elif link.identity == LINK:
        elements = {"@link", "Import", "Purpose"}
    else:
        return
    yield from (item.name for item in link.imports if item.name not in elements)


def _canonical_names(links: tuple[Link, ...], federation: Link, version: tuple[int, int]) -> dict[str, str]:
    """Map what the schema calls directives to their canonical names, where the two differ."""
    here: dict[str, str] = {}
    for link in links:
        here |= {name: link.directive(name) for name in directives_of(link.identity)}
    for name in federation_directives(version):
        here[name] = name if version == FIRST_VERSION else federation.directive(name)
    names = {name: CUSTOM + name for name in _ALL_NAMES if here.get(name) != name}
    return names | {written: name for name, written in here.items() if written != name}


def _known(model: Model, links: tuple[Link, ...], version: tuple[int, int]) -> dict[str, Directive]:
    """Return the definitions that hold: the specifications' own before the schema's, and these before GraphQL's."""
    specified = dict(federation_directives(version))
    for link in links:
        specified |= single_directives(link.identity)
    return dict(standard_directives()) | dict(model.directives) | specified


def _with_usual_roots(subgraph: Subgraph, model: Model) -> Model:
    """Rename root types to `Query`, `Mutation` and `Subscription`."""
    names: dict[str, str] = {}
    for root, name in model.roots.items():
        usual = root.capitalize()
        if name not in model.types:
            raise _refused(subgraph, "INVALID_GRAPHQL", f"the {root} root type `{name}` does not exist")
        if name == usual:
            continue
        if usual in model.types:
            message = (
                f"type `{usual}` is not the {root} root type, which is `{name}`; only the root type may be called so"
            )
            raise _refused(subgraph, f"ROOT_{root.upper()}_USED", message)
        names[name] = usual
    return _with_renamed_types(model, names) if names else model


def _without_machinery(model: Model, links: tuple[Link, ...], federation: Link, version: tuple[int, int]) -> Model:
    """Take out what belongs to specifications and not to the federated schema."""
    foreign = [link for link in links if link.identity in _SPECIFICATIONS or directives_of(link.identity)]
    types: dict[str, Type] = {}
    for name, type_ in model.types.items():
        if name in _SPECIFIED_KINDS or (foreign and any(link.owns_type(name) for link in foreign)):
            continue
        if version != FIRST_VERSION and name.startswith(f"{federation.alias}__"):
            continue
        if name == "Query" and _MACHINERY_FIELDS & type_.fields.keys():
            kept = {key: item for key, item in type_.fields.items() if key not in _MACHINERY_FIELDS}
            type_ = replace(type_, fields=kept)  # noqa: PLW2901  # the type as it is kept
        if name in _ROOT_TYPES and not type_.fields:
            continue
        types[name] = type_
    return replace(model, types=types)


def _wrong_types(subgraph: Subgraph, model: Model, federation: Link, version: tuple[int, int]) -> Iterator[Finding]:
    """Yield the specifications' own types that are defined otherwise than there."""
    for name, type_ in model.types.items():
        own = version != FIRST_VERSION and name.startswith(f"{federation.alias}__")
        expected = Kind.SCALAR if own else _SPECIFIED_KINDS.get(name)
        if expected is None:
            continue
        wrong = f"{expected}, not {type_.kind}" if type_.kind is not expected else ""
        if name == "link__Purpose" and not wrong and set(type_.values) != _PURPOSES:
            wrong = f"{expected} of {', '.join(sorted(_PURPOSES))}"
        if wrong:
            message = f"[{subgraph.name}] invalid definition of type `{name}`: it should be {wrong}"
            yield Finding("TYPE_DEFINITION_INVALID", message, (subgraph.name,), (name,))


def _repeated(subgraph: Subgraph, document: DocumentNode) -> Iterator[Finding]:
    for message in repetitions(document):
        yield Finding("INVALID_GRAPHQL", f"[{subgraph.name}] {message}", (subgraph.name,))


def _renamed(model: Model, names: Mapping[str, str]) -> Model:
    """Return the model with directives under their canonical names."""

    def listed(directives: Iterable[Applied]) -> tuple[Applied, ...]:
        return tuple(replace(item, name=names[item.name]) if item.name in names else item for item in directives)

    def inputs(values: Mapping[str, InputValue]) -> dict[str, InputValue]:
        return {name: replace(item, directives=listed(item.directives)) for name, item in values.items()}

    def field(item: Field) -> Field:
        return replace(item, directives=listed(item.directives), arguments=inputs(item.arguments))

    types = {
        name: replace(
            type_,
            directives=listed(type_.directives),
            fields={key: field(item) for key, item in type_.fields.items()},
            inputs=inputs(type_.inputs),
            values={key: replace(item, directives=listed(item.directives)) for key, item in type_.values.items()},
        )
        for name, type_ in model.types.items()
    }
    directives = {
        names.get(name, name): replace(item, name=names.get(name, name), arguments=inputs(item.arguments))
        for name, item in model.directives.items()
    }
    return replace(model, types=types, directives=directives, applied=listed(model.applied))


def _with_renamed_types(model: Model, names: Mapping[str, str]) -> Model:
    """Return the model with some types under other names."""
    pattern = re.compile(rf"\b({'|'.join(map(re.escape, names))})\b")

    def text(type_text: str) -> str:
        return pattern.sub(lambda found: names[found[0]], type_text)

    def listed(found: Iterable[str]) -> tuple[str, ...]:
        return tuple(names.get(name, name) for name in found)

    types = {
        names.get(name, name): replace(
            type_,
            name=names.get(name, name),
            interfaces=listed(type_.interfaces),
            members=listed(type_.members),
            fields={key: replace(item, type=text(item.type)) for key, item in type_.fields.items()},
        )
        for name, type_ in model.types.items()
    }
    return replace(model, types=types, roots={root: names.get(name, name) for root, name in model.roots.items()})
