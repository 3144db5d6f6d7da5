"""The fixed profile never accepts what an independent RFC 9421 library refuses, nor anything that was changed."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from federation.contract.errors import CroceviaError
from federation.trust.http_messages import HttpRequest, HttpResponse
from federation.trust.http_signatures import RequestBinding, verify_request, verify_response
from tests.support.http_signatures import CLOCK, keys, library_accepts, signed_request, signed_response

pytestmark = pytest.mark.property

REQUEST = signed_request()
RESPONSE = signed_response(REQUEST)
INTERESTING = st.sampled_from(list('"();:=, \t\n\r*-_.aZ09/+\x00\x7f\u00e9\u2028'))


@st.composite
def mutated(draw: st.DrawFn, text: str) -> str:
    """Delete, insert, replace, double, move or re-case a few characters of `text`."""
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, max(0, len(text) - 1)))
        until = min(len(text), at + draw(st.integers(1, 6)))
        piece = text[at:until]
        match draw(st.integers(0, 5)):
            case 0:
                text = text[:at] + text[until:]
            case 1:
                text = text[:at] + draw(INTERESTING) + text[at:]
            case 2:
                text = text[:at] + draw(INTERESTING) + text[at + 1 :]
            case 3:
                text = text[:until] + piece + text[until:]
            case 4:
                to = draw(st.integers(0, len(text)))
                text = text[:to] + piece + text[to:]
            case _:
                text = text[:at] + piece.swapcase() + text[until:]
    return text


@given(st.data())
@settings(max_examples=400)
def test_a_mutated_request_is_accepted_only_if_nothing_changed(data: st.DataObject) -> None:
    part = data.draw(st.sampled_from(["method", "target", "body", *REQUEST.headers]))
    method, target, headers, body = REQUEST.method, REQUEST.target_uri, dict(REQUEST.headers), REQUEST.body
    match part:
        case "method":
            method = data.draw(mutated(method))
        case "target":
            target = data.draw(mutated(target))
        case "body":
            body = data.draw(mutated(body.decode())).encode()
        case name:
            headers[name] = data.draw(mutated(headers[name]))
    message = HttpRequest(method, target, headers, body)
    ours = accepts_request(message)
    assert not ours or library_accepts(message)
    assert ours == (message == REQUEST)


@given(st.data())
@settings(max_examples=400)
def test_a_mutated_response_is_accepted_only_if_nothing_changed(data: st.DataObject) -> None:
    part = data.draw(st.sampled_from(["status", "body", *RESPONSE.headers]))
    status, headers, body = RESPONSE.status, dict(RESPONSE.headers), RESPONSE.body
    match part:
        case "status":
            status = data.draw(st.integers(100, 599))
        case "body":
            body = data.draw(mutated(body.decode())).encode()
        case name:
            headers[name] = data.draw(mutated(headers[name]))
    message = HttpResponse(status, headers, body)
    ours = accepts_response(message)
    assert not ours or library_accepts(message, REQUEST)
    assert ours == (message == RESPONSE)


@given(st.text(max_size=300), st.text(max_size=120))
@settings(max_examples=200)
def test_no_text_in_the_signature_headers_breaks_the_verifier(signature_input: str, signature: str) -> None:
    headers = {**REQUEST.headers, "signature-input": signature_input, "signature": signature}
    assert not accepts_request(HttpRequest(REQUEST.method, REQUEST.target_uri, headers, REQUEST.body))


def accepts_request(message: HttpRequest) -> bool:
    try:
        verify_request(message, keys, CLOCK)
    except CroceviaError:
        return False
    return True


def accepts_response(message: HttpResponse) -> bool:
    try:
        verify_response(message, RequestBinding.of(REQUEST), keys, CLOCK)
    except CroceviaError:
        return False
    return True
