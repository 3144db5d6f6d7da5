"""Scalars on any text: a refusal without the text, or one canonical text that stays as it is."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from graphql import GraphQLError
from hypothesis import given
from hypothesis import strategies as st

from node.vocabulary.scalars import BY_NAME, SCALARS, ScalarTerm

pytestmark = pytest.mark.property

ANYTHING = st.text(max_size=60) | st.from_regex(
    r"[0-9]{4}-[0-9]{2}(-[0-9]{2}(T[0-9]{2}:[0-9]{2}:[0-9]{2}(Z|[+-][0-9]{2}:[0-9]{2}))?)?|-?[0-9.]{1,12}|P[0-9YMWDTHS.]{1,8}"
    r"|[a-z.*]{1,8}@[a-z.*]{1,8}|https?://[a-z.:/\[\]@]{1,20}|[\[(][0-9.]{0,6},[0-9.]{0,6}\)",
    fullmatch=True,
)


@pytest.mark.parametrize("scalar", SCALARS, ids=lambda scalar: scalar.name)
@given(text=ANYTHING)
def test_any_text_is_refused_or_has_one_canonical_form(scalar: ScalarTerm, text: str) -> None:
    canonical = scalar.canonical(text)
    if canonical is None:
        with pytest.raises(GraphQLError) as refused:
            scalar.parse(text)
        assert refused.value.message == f"expected a value of scalar `{scalar.name}`, such as `{scalar.example}`"
        return
    assert scalar.parse(text) == scalar.parse(canonical) == scalar.serialise(canonical) == canonical


@given(
    instant=st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - bounds
    minutes=st.integers(-14 * 60, 14 * 60),
)
def test_an_instant_has_one_text_whatever_offset_it_was_written_with(instant: datetime, minutes: int) -> None:
    there = instant.astimezone(timezone(timedelta(minutes=minutes)))
    scalar = BY_NAME["DateTime"]
    assert scalar.parse(there.isoformat()) == scalar.parse(instant.isoformat()) == scalar.serialise(there)
