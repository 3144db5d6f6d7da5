"""The guide of the vocabulary names every type and scalar."""

from pathlib import Path

from graphql import GraphQLObjectType

from federation.contract.coverage import is_plumbing
from node.vocabulary.scalars import SCALARS
from node.vocabulary.schema import full_schema

GUIDE = Path(__file__).parents[3] / "docs" / "vocabulary.md"


def test_the_guide_names_every_type_and_scalar() -> None:
    text = GUIDE.read_text(encoding="utf-8")
    types = [
        kind.name
        for kind in full_schema().type_map.values()
        if isinstance(kind, GraphQLObjectType)
        and not kind.name.startswith("__")
        and kind.name not in {"Query", "Mutation"}
        and not is_plumbing(kind.name)
    ]
    assert [name for name in (*types, *(scalar.name for scalar in SCALARS)) if f"`{name}`" not in text] == []
