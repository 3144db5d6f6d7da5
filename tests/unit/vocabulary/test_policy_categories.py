"""The generated `@privacy` documentation says what the federation's policy vocabulary says."""

from pathlib import Path

import yaml
from graphql import GraphQLObjectType, print_ast

from node.vocabulary.directives import SENSITIVITY
from node.vocabulary.schema import full_schema

POLICIES = Path(__file__).parents[3] / "policies"


def test_categories_and_sensitivities_are_those_of_the_policy_vocabulary() -> None:
    categories = yaml.safe_load((POLICIES / "vocabulary.yaml").read_text(encoding="utf-8"))["categories"]
    assert {name: entry["sensitivity"] for name, entry in categories.items()} == {
        str(category): str(sensitivity) for category, sensitivity in SENSITIVITY.items()
    }


def test_a_field_has_the_category_that_every_members_policy_gives_it() -> None:
    for file in sorted(POLICIES.glob("*/types/*.yaml")):
        document = yaml.safe_load(file.read_text(encoding="utf-8"))
        declared = full_schema().type_map[document["policy"]]
        assert isinstance(declared, GraphQLObjectType)
        for name, entry in document["fields"].items():
            node = declared.fields[name].ast_node
            assert node is not None
            printed = print_ast(node)
            assert f'category: "{entry["category"]}"' in printed, f"{file.parent.parent.name}: {declared.name}.{name}"
