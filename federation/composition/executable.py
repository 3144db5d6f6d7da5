"""Merges the definitions of directives that clients may use; the supergraph has those that every subgraph knows."""

from __future__ import annotations

from federation.composition.api import EXECUTABLE_LOCATIONS, STANDARD_DIRECTIVES
from federation.composition.merged import Merged
from federation.composition.merging_fields import merge_arguments
from federation.composition.model import Directive, Field, InputValue


def merge_executable_directives(merged: Merged) -> None:
    """Keep what all subgraphs define, at the places that all allow, with the arguments that all understand."""
    names = dict.fromkeys(name for subgraph in merged.subgraphs for name in subgraph.model.directives)
    for name in names:
        found = [
            (subgraph, definition)
            for subgraph in merged.subgraphs
            if (definition := subgraph.model.directives.get(name)) is not None
            and EXECUTABLE_LOCATIONS & set(definition.locations)
        ]
        if not found or name in STANDARD_DIRECTIVES or name in merged.kept:
            continue
        places = [place for place in found[0][1].locations if place in EXECUTABLE_LOCATIONS]
        places = [place for place in places if all(place in definition.locations for _, definition in found)]
        if len(found) < len(merged.subgraphs) or not places:
            message = f"@{name} is not defined for the same places in every subgraph, and so not in the supergraph"
            merged.hint("INCONSISTENT_EXECUTABLE_DIRECTIVE_PRESENCE", message, f"@{name}")
            continue
        as_fields = [(subgraph, Field(name, "", definition.arguments)) for subgraph, definition in found]
        arguments = merge_arguments(merged, f"@{name}", as_fields, {})
        merged.directives[name] = Directive(
            name,
            {
                item.name: InputValue(item.name, item.type, item.default, item.description)
                for item in arguments.values()
            },
            tuple(places),
            all(definition.repeatable for _, definition in found),
            found[0][1].description,
        )
