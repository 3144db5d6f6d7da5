"""The rules in order, in groups: a subgraph that breaks a rule of one group is not held against the next."""

from __future__ import annotations

from collections.abc import Iterator

from federation.composition.errors import Finding
from federation.composition.rules.authorisation_not_on_interfaces import authorisation_not_on_interfaces
from federation.composition.rules.contexts_valid import contexts_valid
from federation.composition.rules.costs_valid import costs_valid
from federation.composition.rules.defaults_valid import defaults_valid
from federation.composition.rules.definitions_valid import definitions_valid
from federation.composition.rules.directives_valid import directives_valid
from federation.composition.rules.externals_used import externals_used
from federation.composition.rules.interface_keys_implemented import interface_keys_implemented
from federation.composition.rules.interface_objects_are_entities import interface_objects_are_entities
from federation.composition.rules.interfaces_implemented import interfaces_implemented
from federation.composition.rules.keys_valid import keys_valid
from federation.composition.rules.list_sizes_valid import list_sizes_valid
from federation.composition.rules.no_externals_on_interfaces import no_externals_on_interfaces
from federation.composition.rules.nothing_repeated import nothing_repeated
from federation.composition.rules.provides_valid import provides_valid
from federation.composition.rules.requires_valid import requires_valid
from federation.composition.rules.rule import Rule
from federation.composition.rules.shareable_on_objects import shareable_on_objects
from federation.composition.rules.types_known import types_known
from federation.composition.subgraph import ReadSubgraph

DEFINITIONS: tuple[Rule, ...] = (definitions_valid,)
"""The federation's own definitions, where a schema writes them out."""

GRAPHQL: tuple[Rule, ...] = (
    nothing_repeated,
    types_known,
    directives_valid,
    interfaces_implemented,
    defaults_valid,
)
"""What every GraphQL schema keeps."""

FEDERATION: tuple[Rule, ...] = (
    keys_valid,
    requires_valid,
    provides_valid,
    no_externals_on_interfaces,
    externals_used,
    interface_keys_implemented,
    interface_objects_are_entities,
    shareable_on_objects,
    authorisation_not_on_interfaces,
    contexts_valid,
    costs_valid,
    list_sizes_valid,
)
"""What federation adds."""


def violations(subgraph: ReadSubgraph, *groups: tuple[Rule, ...]) -> Iterator[Finding]:
    """Yield what the first group finds that finds anything."""
    for group in groups:
        found = [finding for rule in group for finding in rule(subgraph)]
        if found:
            yield from found
            return
