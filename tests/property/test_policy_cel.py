"""Conditions against two CEL engines, whole and partially evaluated; `CROCEVIA_ORACLE_EXAMPLES` sets how many.

Values are without null here: what null means is ours, and has its own oracle.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import cel as rust
import pytest
from cel_expr_python import cel as google
from hypothesis import given, settings

from node.policy.cel import to_cel
from node.policy.conditions import CONSENT, Condition, Consent, evaluate
from node.policy.residuals import residual
from tests.support.policies import COMPLETE_ENVIRONMENTS, CONDITIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

pytestmark = pytest.mark.property
EXAMPLES = int(os.environ.get("CROCEVIA_ORACLE_EXAMPLES", "200"))
ENVIRONMENT = google.NewEnv(
    variables={
        "row": google.Type.Map(google.Type.STRING, google.Type.DYN),
        "requester": google.Type.Map(google.Type.STRING, google.Type.DYN),
        "consents": google.Type.Map(google.Type.STRING, google.Type.BOOL),
        "today": google.Type.STRING,
        "purpose": google.Type.STRING,
        "consent": google.Type.BOOL,
    }
)


def ask_google(text: str, names: dict[str, Any]) -> object:
    return ENVIRONMENT.compile(text).eval(data=names).value()


def ask_rust(text: str, names: dict[str, Any]) -> object:
    return rust.evaluate(text, names)


def cel_input(names: Mapping[str, Any]) -> dict[str, Any]:
    """Nest dotted names, and write sets as lists, which is what CEL has."""
    nested: dict[str, Any] = {"row": {}, "requester": {}, "consents": {"p": names[CONSENT]}}
    for dotted, value in names.items():
        plain = sorted(value) if isinstance(value, frozenset) else value
        group, dot, name = dotted.partition(".")
        if dot:
            nested[group][name] = plain
        else:
            nested[dotted] = plain
    return nested


@pytest.mark.parametrize("ask", [ask_google, ask_rust], ids=["google", "rust"])
@given(condition=CONDITIONS, names=COMPLETE_ENVIRONMENTS)
@settings(max_examples=EXAMPLES)
def test_a_condition_means_what_cel_says(
    ask: Callable[[str, dict[str, Any]], object], condition: Condition, names: dict[str, Any]
) -> None:
    assert ask(to_cel(condition), cel_input(names)) == evaluate(condition, names)


@pytest.mark.parametrize("ask", [ask_google, ask_rust], ids=["google", "rust"])
@given(condition=CONDITIONS, names=COMPLETE_ENVIRONMENTS)
@settings(max_examples=EXAMPLES)
def test_a_residual_means_in_cel_what_the_whole_condition_means(
    ask: Callable[[str, dict[str, Any]], object], condition: Condition, names: dict[str, Any]
) -> None:
    left = residual(condition, names, Consent("p"))
    given_row = cel_input({name: value for name, value in names.items() if name.startswith("row.") or name == CONSENT})

    assert ask(to_cel(left), given_row) == evaluate(condition, names)
