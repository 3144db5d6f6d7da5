"""Entries by key, lowered: the `_entities` fields of one request, with what is sent and where the objects stand."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from federation.planning import guards
from federation.planning.contexts import arguments, separator
from federation.planning.fetches import paths
from federation.planning.plan import NUMBERED, Contexts, EntityInput, Selection
from federation.planning.render import Rendered, Renderer, unused
from federation.planning.representation import references

if TYPE_CHECKING:
    from collections.abc import Iterable

    from federation.planning.fetches import Part, Request, Use
    from federation.planning.plan import Path


@dataclass(slots=True)
class Entered:
    """The entity inputs of one request: the client's variables in them, the fields' texts, their own variables."""

    inputs: tuple[EntityInput, ...] = ()
    used: set[str] = field(default_factory=set)
    body: str = ""
    definitions: tuple[str, ...] = ()


def entered(part: Part, request: Request, renderer: Renderer, taken: Iterable[str]) -> Entered:
    """Lower the entries by key of one request; entries that differ only in where the objects stand are joined.

    `taken` are the client's variables.
    """
    found = Entered()
    # The text is part of what must be equal: a description of the answer does not know the arguments.
    joined: dict[tuple[EntityInput, str], list[Path]] = {}
    for use in request.uses:
        rendered = _rendered(renderer, use)
        found.used |= rendered.variables
        given = arguments(use.jump.contexts, use.jump.node)
        entity = EntityInput(
            alias="",
            variable="",
            paths=(),
            references=tuple(references(use)),
            typename=_typename(use),
            selections=tuple(rendered.selections),
            conditions=guards.to_conditions(guards.inside(use.guard, request.guard)),
            contexts=Contexts(given) if given else None,
        )
        places = joined.setdefault((entity, rendered.text()), [])
        places.extend(path for path in paths(part, use) if path not in places)
    return _named(found, joined, list(taken))


def _named(found: Entered, joined: dict[tuple[EntityInput, str], list[Path]], taken: list[str]) -> Entered:
    """Give every input its alias and variable; those with contexts have one of each for every set of values."""
    single = len(joined) == 1
    aliases = ["_entities"] if single else [f"_e{index}" for index in range(len(joined))]
    wanted = ["representations"] if single else [f"r{index}" for index in range(len(joined))]
    between = separator(taken)
    inputs: list[EntityInput] = []
    body: list[str] = []
    definitions: list[str] = []
    for number, (alias, variable, ((entity, text), places)) in enumerate(
        zip(aliases, unused(wanted, taken), joined.items(), strict=True)
    ):
        named = replace(entity, alias=alias, variable=variable, paths=tuple(places))
        if entity.contexts is None:
            head = "_entities" if alias == "_entities" else f"{alias}: _entities"
            body.append(f"{head}(representations: ${variable}) {{ {text} }}")
            definitions.append(f"${variable}: [_Any!]!")
        else:
            contexts = _texts(entity.contexts, text, f"{between}{number}_")
            named = replace(
                named,
                alias=contexts.numbered(contexts.alias, 0),
                variable=contexts.numbered(contexts.variable, 0),
                contexts=contexts,
            )
            body.append(contexts.numbered(contexts.field, 0))
            definitions.append(contexts.numbered(contexts.definitions, 0))
        inputs.append(named)
    found.inputs, found.body, found.definitions = tuple(inputs), " ".join(body), tuple(definitions)
    return found


def _texts(contexts: Contexts, text: str, suffix: str) -> Contexts:
    alias, variable = f"_e{NUMBERED}", f"r{NUMBERED}"
    given = "".join(f", ${one.variable}: {one.type}" for one in contexts.arguments)
    return replace(
        contexts,
        alias=alias,
        variable=variable,
        definitions=f"${variable}: [_Any!]!{given}",
        field=f"{alias}: _entities(representations: ${variable}) {{ {text} }}",
        suffix=suffix,
    )


def _rendered(renderer: Renderer, use: Use) -> Rendered:
    """Render what is selected of the entities that a jump enters, as the type or types it enters them as."""
    statics = [use.jump.known_as] if use.jump.known_as is not None else sorted(use.types)
    result = Rendered()
    for static in statics:
        rendered = renderer.selection([use.branch], static, use.guard)
        result.texts.append(f"... on {static} {{ {rendered.text()} }}")
        result.variables |= rendered.variables
        if len(statics) > 1:
            rendered.selections = [_on(one, static) for one in rendered.selections]
        result.selections.extend(rendered.selections)
    return result


def _on(one: Selection, static: str) -> Selection:
    return replace(one, on=one.on or frozenset({static}))


def _typename(use: Use) -> str | None:
    if use.jump.known_as is not None:
        return use.jump.known_as
    return next(iter(use.types)) if len(use.types) == 1 else None
