"""A graph can be asked something."""

from tests.support.composition import codes, fed


def test_a_graph_without_queries_is_refused() -> None:
    assert codes(fed("type A { x: Int }")) == ["NO_QUERIES"]


def test_the_machinery_is_no_query() -> None:
    assert codes("type Query { _service: _Service! } type _Service { sdl: String }") == ["NO_QUERIES"]
