"""Authorisation is asked for where data is resolved."""

import pytest

from tests.support.composition import codes, fed

MARKS = ["@authenticated", '@requiresScopes(scopes: [["x"]])', '@policy(policies: [["x"]])']


@pytest.mark.parametrize("mark", MARKS)
def test_an_interface_asks_for_no_authorisation(mark: str) -> None:
    sdl = f"type Query {{ i: I }} interface I {mark} {{ x: Int }} type A implements I {{ x: Int }}"
    assert codes(fed(sdl)) == ["AUTH_REQUIREMENTS_APPLIED_ON_INTERFACE"]


@pytest.mark.parametrize("mark", MARKS)
def test_an_object_does(mark: str) -> None:
    assert codes(fed(f"type Query {{ a: A }} type A {mark} {{ x: Int {mark} }}")) == []
