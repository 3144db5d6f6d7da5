"""What becomes of an operation of which a field is denied: the stricter of agreement and request."""

import pytest

from federation.contract.errors import BadInputError
from federation.contract.on_denied import HEADER, OnDenied, wanted


@pytest.mark.parametrize("agreed", OnDenied)
@pytest.mark.parametrize("asked", [None, *OnDenied])
def test_r12_the_stricter_of_agreement_and_header_holds(agreed: OnDenied, asked: OnDenied | None) -> None:
    headers = {} if asked is None else {HEADER: str(asked)}
    assert wanted(headers, agreed) is (OnDenied.REJECT if OnDenied.REJECT in (agreed, asked) else OnDenied.NULL)


@pytest.mark.parametrize("text", ["", "Reject", "reject, null", "drop"])
def test_r12_another_word_is_refused(text: str) -> None:
    with pytest.raises(BadInputError, match="`null` or `reject`"):
        wanted({HEADER: text}, OnDenied.NULL)
