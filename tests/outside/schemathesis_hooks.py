"""What schemathesis must know of the federation: who asks, how its scalars are written, and that nothing is repeated.

Loaded by schemathesis itself (`SCHEMATHESIS_HOOKS`), in an environment of its own; `scanners.py` runs it.
"""

from __future__ import annotations

import os
import re
from typing import Any
from zlib import crc32

import schemathesis
from hypothesis import strategies as st
from schemathesis.graphql import nodes

PARTNERS = (
    ("inprev", "benefit-assessment"),
    ("aslvs", "emergency-care"),
    ("istsc_bv01", "school-enrolment"),
    ("ustat", "statistics"),
)
CODES = os.environ["CROCEVIA_TAX_CODES"].split()
TEXTS = {
    "Date": ["2026-01-15", "1984-06-17", "2026-02-30"],
    "DateTime": ["2026-01-15T10:00:00Z", "yesterday"],
    "PartialDate": ["1984", "1984-06", "XXXX"],
    "TaxCode": [*CODES, "BNCLRA84H57F257X"],
    "Email": ["laura.bianchi@posta.example", "nobody"],
    "Url": ["https://a.example/b", "javascript:x"],
    "Duration": ["P1D", "PT", "-P1Y"],
    "Decimal": ["12.50", "1e9", "NaN"],
}
LITERAL = re.compile(r'"((?:[^"\\]|\\.){8,})"')

for name, texts in TEXTS.items():
    schemathesis.graphql.scalar(name, st.one_of(st.sampled_from(texts), st.text(max_size=40)).map(nodes.String))


@schemathesis.hook  # type: ignore[untyped-decorator]  # the tool's types are not here
def before_call(_context: Any, case: Any, _kwargs: Any) -> None:
    """Ask as a partner whose key the demo's proxy holds: for the same question always the same."""
    member, purpose = PARTNERS[crc32(str(case.body).encode()) % len(PARTNERS)]
    case.query = {"as": member, "purpose": purpose}


@schemathesis.check  # type: ignore[untyped-decorator]  # see above
def nothing_is_repeated(_context: Any, response: Any, case: Any) -> None:
    """Fail on a server's error, and when a refusal repeats a text of the operation; its other errors are answers."""
    assert response.status_code < 500, "a server's error"
    content = response.json()
    said = " ".join(error["message"] for error in content.get("errors", ())) + str(content.get("detail", ""))
    for text in LITERAL.findall(str(case.body)):
        assert text not in said, "a value is repeated"
    assert "INTERNAL" not in str(content.get("errors", content.get("code", ""))), "a defect of ours"
