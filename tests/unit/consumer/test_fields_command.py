"""What a partner may see is printed so that it can be read, and asked so that a slip is named."""

from __future__ import annotations

from typing import Any

import pytest
from graphql import build_schema
from rich.console import Console

from federation.consumer.fields_command import rendered, require_known
from federation.contract.errors import NotFoundError
from federation.contract.languages import Language

SCHEMA = build_schema("type Query { citizen: Citizen } type Citizen { taxCode: ID givenName: String }")
SEEN = {
    "myFields": {
        "fields": [
            {
                "member": "c_m999",
                "coordinate": f"Citizen.{name}",
                "form": "clear",
                "explanation": {"en": "clear; L. 328/2000", "it": "in chiaro; L. 328/2000"},
                "grants": [{"id": "identity"}],
            }
            for name in ("taxCode", "givenName")
        ],
        "gaps": ["aslvs"],
    }
}
DENIED = {
    "whyDenied": {
        "verdicts": [
            {
                "member": "c_m999",
                "code": "FIELD_DENIED",
                "explanation": {"en": "denied", "it": "negato; nessuna regola lo mostra a enti di questo tipo"},
                "contact": "ufficio-privacy@comune.borgoverde.example",
                "policyRevision": 1,
            }
        ],
        "gaps": [],
    }
}


def printed(data: dict[str, Any], language: Language, width: int = 80) -> list[str]:
    console = Console(width=width, no_color=True)
    with console.capture() as capture:
        console.print(rendered({"data": data}, language))
    return [line.rstrip() for line in capture.get().splitlines()]


def test_fields_seen_alike_are_one_row() -> None:
    assert [line.split() for line in printed(SEEN, Language.ITALIAN)] == [
        ["campo", "ente", "come", "regole"],
        ["Citizen.taxCode", "c_m999", "in", "chiaro;", "L.", "328/2000", "identity"],
        ["Citizen.givenName"],
        ["aslvs:", "nessuna", "risposta"],
    ]


def test_no_letter_of_whom_to_ask_is_lost_on_a_narrow_terminal() -> None:
    lines = printed(DENIED, Language.ENGLISH, width=50)
    assert lines[0].split() == ["member", "verdict", "ask", "policy"]
    folded = "".join(
        line[line.index("ask") if "ask" in line else lines[0].index("ask") :].split(" ")[0] for line in lines
    )
    assert folded == "askufficio-privacy@comune.borgoverde.example"


def test_a_misspelt_type_or_field_is_named_before_anybody_is_asked() -> None:
    for known in (None, "Citizen", "Citizen.taxCode"):
        require_known(SCHEMA, known)
    with pytest.raises(NotFoundError, match=r"`Citizn` is not in .* did you mean `Citizen`\?"):
        require_known(SCHEMA, "Citizn")
    with pytest.raises(NotFoundError, match=r"did you mean `Citizen\.taxCode`\?"):
        require_known(SCHEMA, "Citizen.taxCod")
