"""Merges the types and the values of what several subgraphs declare: one type, one default, for all of them."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

from graphql import ValueNode

from federation.composition.merged import Merged
from federation.composition.model import InputValue, literal
from federation.composition.subgraph import ReadSubgraph


class Position(Enum):
    """Whether values go out, where the widest type serves all, or come in, where the narrowest does."""

    OUTPUT = "output"
    INPUT = "input"


def merge_types(
    merged: Merged, coordinate: str, texts: Sequence[tuple[ReadSubgraph, str]], position: Position, code: str
) -> str:
    """Return the type that serves all subgraphs, or note an error under `code` and return the first."""
    chosen = texts[0][1]
    if all(text == chosen for _, text in texts):
        return chosen
    for _, text in texts:
        narrower, wider = (chosen, text) if position is Position.INPUT else (text, chosen)
        if merged.lattice.fits(narrower, wider):
            continue
        if not merged.lattice.fits(wider, narrower):
            said = ", ".join(f"`{text}` in `{subgraph.name}`" for subgraph, text in texts)
            subgraphs = [subgraph for subgraph, _ in texts]
            merged.error(code, f"`{coordinate}` has types that do not go together: {said}", coordinate, subgraphs)
            return texts[0][1]
        chosen = text
    hint = (
        "INCONSISTENT_BUT_COMPATIBLE_FIELD_TYPE"
        if ":)" not in coordinate
        else "INCONSISTENT_BUT_COMPATIBLE_ARGUMENT_TYPE"
    )
    merged.hint(hint, f"`{coordinate}` is `{chosen}` in the supergraph, and not in every subgraph", coordinate)
    return chosen


def merge_defaults(
    merged: Merged, coordinate: str, values: Sequence[tuple[ReadSubgraph, InputValue]], code: str
) -> ValueNode | None:
    """Return the default that all subgraphs have; None when only some have it, an error when they have several."""
    texts = {literal(value.default): value.default for _, value in values if value.default is not None}
    if len(texts) > 1:
        said = ", ".join(
            f"`{literal(value.default)}` in `{subgraph.name}`"
            for subgraph, value in values
            if value.default is not None
        )
        subgraphs = [subgraph for subgraph, _ in values]
        merged.error(code, f"`{coordinate}` has different default values: {said}", coordinate, subgraphs)
    if any(value.default is None for _, value in values):
        if texts:
            message = f"the default value of `{coordinate}` is not in every subgraph, and so not in the supergraph"
            merged.hint("INCONSISTENT_DEFAULT_VALUE_PRESENCE", message, coordinate)
        return None
    return next(iter(texts.values()), None)


def merge_descriptions(descriptions: Sequence[str | None]) -> str | None:
    """Return the description that most subgraphs give."""
    given = [text for text in descriptions if text]
    return max(dict.fromkeys(given), key=given.count) if given else None
