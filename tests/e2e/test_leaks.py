"""A refusal repeats no value that was sent and tells nothing of our insides, whatever is wrong with a request (S12).

Names are repeated where they are names: of fields, fragments, agreements and purposes. Who misspells one must see it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import msgspec
import pytest

from federation.demo.layout import url
from node.demo.seed import read_truth
from tests.support import leaks
from tests.support.demo import question, token

if TYPE_CHECKING:
    from federation.trust.http_messages import HttpRequest
    from tests.support.demo import RunningDemo

LAURA = "BNCLRA84H57F257B"
PURPOSE = "benefit-assessment"
CITIZEN = "query($by: CitizenKey!) { citizen(by: $by) { givenName } }"

CONTENTS: dict[str, dict[str, Any]] = {
    "a syntax error beside it": {"query": f'{{ citizen(by: {{taxCode: "{LAURA}"}} {{ givenName }} }}'},
    "an unknown argument": {"query": f'{{ citizen(by: {{taxCode: "{LAURA}"}}, wrong: "{LAURA}") {{ givenName }} }}'},
    "an unknown key": {"query": f'{{ citizen(by: {{fiscalCode: "{LAURA}"}}) {{ givenName }} }}'},
    "for a truth value": {"query": "query($n: Boolean!) { __typename @include(if: $n) }", "variables": {"n": LAURA}},
    "as a key that is not known": {"query": CITIZEN, "variables": {"by": {"name": LAURA}}},
    "as a list": {"query": CITIZEN, "variables": {"by": [LAURA]}},
    "as an operation's name": {"query": "{ __typename }", "operationName": LAURA},
    "as a document's id": {"documentId": LAURA},
    "as an unknown member of the body": {"query": "{ __typename }", LAURA: LAURA},
    "twice in one key": {"query": CITIZEN, "variables": {"by": {"taxCode": LAURA, "id": LAURA}}},
    "as somebody's pseudonym": {"query": CITIZEN, "variables": {"by": {"id": f"v1.siv.c_m999.{LAURA}"}}},
    "as a cursor": {"query": f'{{ publicServices(first: 1, after: "{LAURA}") {{ edges {{ cursor }} }} }}'},
}


def signed(demo: RunningDemo, content: dict[str, Any], **changes: Any) -> HttpRequest:
    partner = demo.partner("inprev")
    return question(partner, demo.gateway + "/graphql", token(demo, partner, PURPOSE, **changes), content)


def sent(asked: HttpRequest, **changed: Any) -> httpx.Response:
    given = {"content": asked.body, "headers": dict(asked.headers)} | changed
    return httpx.post(asked.target_uri, trust_env=False, timeout=20, **given)


def require_nothing(answer: httpx.Response, value: str = LAURA) -> None:
    assert 400 <= answer.status_code < 500 or "errors" in answer.json()
    assert leaks.in_refusal(answer.content + str(answer.headers).encode(), value) == []


@pytest.mark.parametrize("content", CONTENTS.values(), ids=CONTENTS.keys())
def test_a_refusal_does_not_repeat_a_tax_code(demo: RunningDemo, content: dict[str, Any]) -> None:
    require_nothing(sent(signed(demo, content)))


def test_nor_does_a_refusal_of_who_asks(demo: RunningDemo) -> None:
    good = signed(demo, {"query": CITIZEN, "variables": {"by": {"taxCode": LAURA}}})
    require_nothing(sent(good, content=good.body.replace(b"givenName", b"familyName")))
    require_nothing(sent(good, headers=dict(good.headers) | {"authorization": f"DPoP {LAURA}"}))
    require_nothing(sent(good, headers=dict(good.headers) | {"signature": f"sig=:{LAURA}:"}))
    require_nothing(sent(good, headers=dict(good.headers) | {"dpop": LAURA}))
    require_nothing(sent(signed(demo, {"query": CITIZEN}, jti=LAURA, exp=1)))


@pytest.mark.parametrize("path", ["/oauth2/token", "/graphql", "/v2/findUsage"])
@pytest.mark.parametrize(
    "body", [f"grant_type={LAURA}", f'{{"query": "{LAURA}"}}', f"\xff{LAURA}", "[" * 2_000 + LAURA]
)
def test_nor_does_any_door(demo: RunningDemo, path: str, body: str) -> None:
    for origin in (demo.gateway, url(demo.ports.node(0)), url(demo.ports.exchange)):
        answer = httpx.post(f"{origin}{path}?q={LAURA}", content=body.encode("latin-1"), trust_env=False, timeout=20)
        assert 400 <= answer.status_code < 500
        assert leaks.in_refusal(answer.content + str(answer.headers).encode(), LAURA) == []
        lost = httpx.get(f"{origin}/ledger/{LAURA}", trust_env=False, timeout=20)
        assert leaks.in_refusal(lost.content, LAURA) == []


def test_what_is_looked_for_is_there_to_be_found(demo: RunningDemo) -> None:
    """A scan that finds nothing anywhere proves nothing: the registers hold what the logs and ledgers must not."""
    register = (demo.home.party("c_m999") / "register.db").read_bytes()
    people = list(read_truth(demo.home.root / "truth.ndjson"))
    known = [value for person in people if person.civil for value in leaks.values_of(person)]
    assert len(known) > len(people)
    assert all(value.encode() in register for value in known[:50])
    assert leaks.in_refusal(msgspec.json.encode({"detail": f"no such citizen {LAURA}"}), LAURA) == [LAURA]
    assert leaks.in_refusal(b'File "/x/y.py", line 3', LAURA) == [".py"]
