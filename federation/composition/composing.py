"""Which directives the supergraph keeps: those of known specifications, and those that `@composeDirective` names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from federation.composition.links import APOLLO, FEDERATION, Import, Link
from federation.composition.merged import ComposedLink, Merged, listed
from federation.composition.model import Applied, Directive, InputValue, named
from federation.composition.specifications import LATEST, MERGED, SCALARS_OF, federation_directives
from federation.composition.standard import standard_directives
from federation.composition.subgraph import CUSTOM, ReadSubgraph, applied

_GRAPHQL = frozenset({"deprecated", "specifiedBy"})
_SPECIFICATION_OF = {
    "tag": ("tag", (0, 3)),
    "inaccessible": ("inaccessible", (0, 2)),
    "authenticated": ("authenticated", (0, 1)),
    "requiresScopes": ("requiresScopes", (0, 1)),
    "policy": ("policy", (0, 1)),
    "cost": ("cost", (0, 1)),
    "listSize": ("cost", (0, 1)),
    "context": ("context", (0, 1)),
}
_SECURITY = frozenset({"inaccessible", "authenticated", "requiresScopes", "policy"})


def compose_links(merged: Merged) -> None:
    """Note the directives that are kept, under which names, and the links that define them."""
    kept = {name: name for name in _GRAPHQL} | _known_specifications(merged)
    kept |= _composed(merged)
    merged.kept = kept


def _known_specifications(merged: Merged) -> dict[str, str]:
    """Keep directives of known specifications under the name that all subgraphs use who apply them."""
    names: dict[str, dict[str, list[ReadSubgraph]]] = {}
    for subgraph in merged.subgraphs:
        for name in sorted(_used(subgraph)):
            written = subgraph.written(name)
            here = name if written.startswith("federation__") else written
            names.setdefault(name, {}).setdefault(here, []).append(subgraph)
    kept = {name: name for name in MERGED}
    linked: dict[tuple[str, tuple[int, int]], dict[str, str]] = {}
    for name, spellings in names.items():
        if len(spellings) > 1:
            said = ", ".join(f"`@{here}` in {listed([each.name for each in who])}" for here, who in spellings.items())
            subgraphs = [subgraph for who in spellings.values() for subgraph in who]
            merged.error("LINK_IMPORT_NAME_MISMATCH", f"@{name} has different names: {said}", f"@{name}", subgraphs)
        kept[name] = next(iter(spellings))
        linked.setdefault(_SPECIFICATION_OF[name], {})[name] = kept[name]
    for (specification, version), directives in linked.items():
        purpose = "SECURITY" if specification in _SECURITY else None
        identity = f"{APOLLO}/{specification}"
        imports = tuple(
            Import(f"@{name}", f"@{here}")
            for name, here in directives.items()
            if name != specification or here != specification
        )
        link = Link(identity, specification, version, specification, imports, purpose)
        merged.links.append(ComposedLink(link, directives))
        for name, here in directives.items():
            definition = federation_directives(LATEST)[name]
            arguments = {key: _prefixed(item, link) for key, item in definition.arguments.items()}
            merged.directives[name] = Directive(here, arguments, definition.locations, definition.repeatable)
    return kept


def _prefixed(value: InputValue, link: Link) -> InputValue:
    """Write an argument's type under the name that the supergraph has for it."""
    name = named(value.type)
    if name not in SCALARS_OF.get(link.identity, ()):
        return value
    return replace(value, type=value.type.replace(name, f"{link.alias}__{name}"))


def _used(subgraph: ReadSubgraph) -> set[str]:
    """Return the directives of known specifications that the subgraph applies."""
    text = subgraph.subgraph.sdl
    candidates = {name for name in _SPECIFICATION_OF if f"@{subgraph.written(name)}" in text}
    if not candidates:
        return set()
    return candidates & set(_applied_names(subgraph))


def _applied_names(subgraph: ReadSubgraph) -> Iterator[str]:
    def names(directives: tuple[Applied, ...]) -> Iterator[str]:
        return (item.name for item in directives)

    for type_ in subgraph.types.values():
        yield from names(type_.directives)
        for declared in type_.fields.values():
            yield from names(declared.directives)
            for argument in declared.arguments.values():
                yield from names(argument.directives)
        for value in type_.inputs.values():
            yield from names(value.directives)
        for member in type_.values.values():
            yield from names(member.directives)


@dataclass(frozen=True, slots=True)
class _Request:
    """One `@composeDirective`: the directive as the subgraph calls it, where it comes from, what it is called there."""

    subgraph: ReadSubgraph
    written: str
    link: Link
    original: str


def _composed(merged: Merged) -> dict[str, str]:
    """Keep what `@composeDirective` names, when all subgraphs mean the same by it."""
    requests = [request for subgraph in merged.subgraphs for request in _requests(merged, subgraph)]
    if not _agree(merged, requests):
        return {}
    newest: dict[str, Link] = {}
    directives: dict[str, dict[str, str]] = {}
    for request in requests:
        identity = request.link.identity
        if identity not in newest or (request.link.version or (0, 0)) > (newest[identity].version or (0, 0)):
            newest[identity] = request.link
        directives.setdefault(identity, {})[request.original] = request.written
    for identity, names in directives.items():
        link = newest[identity]
        imports = tuple(Import(f"@{original}", f"@{written}") for original, written in names.items())
        composed = Link(identity, link.name, link.version, link.name, imports)
        merged.links.append(ComposedLink(composed, names))
        for request in requests:
            definition = request.subgraph.model.directives.get(request.written)
            if request.link.identity == identity and definition is not None:
                better = request.link.version == link.version
                if better or request.written not in merged.directives:
                    merged.directives[request.written] = definition
    for request in requests:
        merged.only_in[request.written] = frozenset(
            subgraph.name
            for subgraph in merged.subgraphs
            for link in subgraph.links
            if link.identity == request.link.identity and link.owns_directive(request.written)
        )
    return {request.written: request.written for request in requests}


def _requests(merged: Merged, subgraph: ReadSubgraph) -> Iterator[_Request]:
    for item in applied(subgraph.model.applied, "composeDirective"):
        text = item.text("name")
        problem: str | None = None
        name = (text or "").removeprefix("@")
        key = CUSTOM + name if CUSTOM + name in subgraph.known else name
        link = next((link for link in subgraph.links if link.name and link.owns_directive(name)), None)
        if text is None or not text.startswith("@"):
            problem = f"`{text or ''}` must be the name of a directive, with its `@`"
        elif key not in subgraph.known:
            problem = f"directive `@{name}` does not exist"
        elif link is None:
            problem = f"directive `@{name}` belongs to no linked specification"
        elif link.identity == FEDERATION or link.identity.startswith(f"{APOLLO}/"):
            if key not in MERGED:
                problem = f"directive `@{name}` is the federation's own and cannot be composed"
            else:
                message = f"@{name} is composed without being asked for"
                merged.hint("DIRECTIVE_COMPOSITION_INFO", message, f"@{name}", [subgraph])
                continue
        elif (standard := standard_directives().get(name)) and not _same_arguments(standard, subgraph.known[key]):
            problem = f"directive `@{name}` takes other arguments than GraphQL's own, and cannot replace it"
        if problem is not None:
            message = f"[{subgraph.name}] @composeDirective: {problem}"
            merged.error("DIRECTIVE_COMPOSITION_ERROR", message, f"@{name}", [subgraph])
        elif link is not None:
            yield _Request(subgraph, name, link, link.canonical(name) or name)


def _same_arguments(one: Directive, other: Directive) -> bool:
    return {item.type for item in one.arguments.values()} == {item.type for item in other.arguments.values()}


def _agree(merged: Merged, requests: list[_Request]) -> bool:
    """A name means one directive, and a specification has one major version, in all subgraphs that compose it."""
    before = len(merged.errors)
    by_name: dict[str, list[_Request]] = {}
    by_identity: dict[str, list[_Request]] = {}
    for request in requests:
        by_name.setdefault(request.written, []).append(request)
        by_identity.setdefault(request.link.identity, []).append(request)
    for name, same in by_name.items():
        subgraphs = [request.subgraph for request in same]
        if len({request.link.identity for request in same}) > 1:
            message = f"`@{name}` comes from different specifications in {listed([item.name for item in subgraphs])}"
            merged.error("DIRECTIVE_COMPOSITION_ERROR", message, f"@{name}", subgraphs)
        elif len({request.original for request in same}) > 1:
            message = f"`@{name}` is another directive in each of {listed([item.name for item in subgraphs])}"
            merged.error("DIRECTIVE_COMPOSITION_ERROR", message, f"@{name}", subgraphs)
    for identity, same in by_identity.items():
        subgraphs = [request.subgraph for request in same]
        if len({(request.link.version or (0, 0))[0] for request in same}) > 1:
            message = f"`{identity}` is linked in different major versions"
            merged.error("DIRECTIVE_COMPOSITION_ERROR", message, identity, subgraphs)
        spelled: dict[str, set[str]] = {}
        for request in same:
            spelled.setdefault(request.original, set()).add(request.written)
        for original, names in spelled.items():
            if len(names) > 1:
                message = f"`@{original}` of `{identity}` has different names: {listed(sorted(names))}"
                merged.error("DIRECTIVE_COMPOSITION_ERROR", message, f"@{original}", subgraphs)
    return len(merged.errors) == before
