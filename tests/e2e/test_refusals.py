"""What a running federation refuses: one line, a stable code, and at the command line an exit status of its own."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from federation.consumer.client import Refused
from federation.contract.exit_codes import ExitCode
from tests.support.demo import REPOSITORY, RunningDemo, crocevia, question, token

if TYPE_CHECKING:
    from pathlib import Path

    from federation.trust.http_messages import HttpRequest
    from tests.support.demo import Command

SHOWCASE = REPOSITORY / "deploy" / "demo" / "queries" / "benefit-assessment.graphql"
PURPOSE = "benefit-assessment"
HARMLESS = "{ __typename }"
CHILD = "FRRSFO14E54F257M"


@dataclass(frozen=True, slots=True)
class Said:
    """A GraphQL refusal: status, code, message."""

    status: int
    code: str
    message: str


def test_a_replayed_request_is_refused(demo: RunningDemo) -> None:
    asked = _question(demo, HARMLESS)
    assert _post(asked).json()["data"] == {"__typename": "Query"}
    assert _refusal(_post(asked)).code == "TOKEN_REPLAY"


def test_an_expired_token_is_refused_with_the_way_out(demo: RunningDemo) -> None:
    past = 1_700_000_000
    said = _refusal(_post(_question(demo, HARMLESS, iat=past, exp=past + 300)))
    assert (said.status, said.code) == (401, "TOKEN_EXPIRED")
    assert "ask for a new one" in said.message


def test_a_token_for_a_purpose_that_the_agreement_does_not_name_is_refused(demo: RunningDemo) -> None:
    said = _refusal(_post(_question(demo, HARMLESS, purpose="statistics")))
    assert (said.status, said.code) == (403, "PURPOSE_NOT_AGREED")


def test_no_token_is_given_for_a_purpose_that_was_not_agreed(demo: RunningDemo) -> None:
    partner = demo.partner("inprev")

    async def ask() -> None:
        async with httpx.AsyncClient(trust_env=False) as http:
            await partner.client(http).ask(HARMLESS, "emergency-care", partner.agreement_for(PURPOSE).id)

    with pytest.raises(Refused) as refused:
        asyncio.run(ask())
    assert (refused.value.status, refused.value.code) == (400, "PURPOSE_NOT_AGREED")  # RFC 6749 section 5.2


def test_a_token_of_somebody_else_is_refused(demo: RunningDemo) -> None:
    thief, owner = demo.partner("coop_ponte"), demo.partner("inprev")
    stolen = token(demo, owner, PURPOSE)
    asked = question(thief, demo.gateway + "/graphql", stolen, {"query": HARMLESS})
    assert _refusal(_post(asked)).code == "PROOF_MISMATCH"


MALFORMED = {
    "unknown field": ('{ citizen(by: {taxCode: "x"}) { givenNam } }', "GRAPHQL_VALIDATION_FAILED", "givenNam"),
    "unknown argument": ("{ citizen(of: 1) { id } }", "GRAPHQL_VALIDATION_FAILED", "of"),
    "syntax error": ("query {\n  citizen(by: {\n}", "GRAPHQL_PARSE_FAILED", "line 3, column"),
    "empty": ("", "GRAPHQL_PARSE_FAILED", "line 1, column 1"),
    "too deep": ("{ a" * 20 + " }" * 20, "QUERY_TOO_COMPLEX", "deeper than 15 levels"),
    "too many aliases": (
        "{" + " ".join(f"a{n}: __typename" for n in range(40)) + "}",
        "QUERY_TOO_COMPLEX",
        "more than 30 aliases",
    ),
    "too long": ("{" + " __typename" * 3000 + "}", "QUERY_TOO_COMPLEX", "more than 2000 tokens"),
    "an unknown mutation": ("mutation { forgetEverybody }", "GRAPHQL_VALIDATION_FAILED", "forgetEverybody"),
}


@pytest.mark.parametrize(("text", "code", "named"), MALFORMED.values(), ids=MALFORMED.keys())
def test_a_query_that_cannot_be_answered_is_refused_by_name(
    demo: RunningDemo, text: str, code: str, named: str
) -> None:
    said = _refusal(_post(_question(demo, text)))
    assert said.code == code
    assert named in said.message
    assert "\n" not in said.message
    assert "did you mean" not in said.message.lower()  # who misspells learns no names (policy R20)


@pytest.mark.parametrize("tax_code", [[CHILD], "FRRSFO14E54F257X", "Sofia"], ids=["a list", "wrong check", "a name"])
def test_a_tax_code_that_is_none_is_refused_and_not_repeated(demo: RunningDemo, tax_code: object) -> None:
    partner = demo.partner("inprev")
    content = {
        "query": "query($by: CitizenKey!) { citizen(by: $by) { id } }",
        "variables": {"by": {"taxCode": tax_code}},
    }
    answer = _post(question(partner, demo.gateway + "/graphql", token(demo, partner, PURPOSE), content)).json()
    (error,) = answer["errors"]
    assert answer["data"] == {"citizen": None}
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert str(tax_code) not in error["message"]


COMMANDS = {
    "unknown member": (["--as", "inpss", "--purpose", PURPOSE], ExitCode.REFUSED, "MEMBER_UNKNOWN", "`inpss`"),
    "purpose of others": (
        ["--as", "inprev", "--purpose", "statistics"],
        ExitCode.REFUSED,
        "PURPOSE_NOT_AGREED",
        "it has `benefit-assessment`",
    ),
    "unknown purpose": (
        ["--as", "inprev", "--purpose", "curiosity"],
        ExitCode.REFUSED,
        "PURPOSE_NOT_AGREED",
        "`curiosity`",
    ),
    "variables that are no JSON": (
        ["--as", "inprev", "--purpose", PURPOSE, "--variables", "{by"],
        ExitCode.USAGE,
        "BAD_USER_INPUT",
        "`--variables` is not JSON",
    ),
}


@pytest.mark.parametrize(("options", "status", "code", "named"), COMMANDS.values(), ids=COMMANDS.keys())
def test_a_command_that_cannot_be_done_ends_with_one_line_and_its_status(
    demo: RunningDemo, command: Command, options: list[str], status: ExitCode, code: str, named: str
) -> None:
    ran = command("query", *options, "--citizen", CHILD, "--home", demo.home.root, SHOWCASE)
    assert (ran.status, ran.out) == (status, "")
    assert ran.err.startswith(f"{code} ")
    assert named in ran.err
    assert ran.err.count("\n") == 1


def test_a_question_in_a_file_that_is_not_there_is_named(demo: RunningDemo, command: Command) -> None:
    ran = command("query", "--as", "inprev", "--purpose", PURPOSE, "--home", demo.home.root, "none.graphql")
    assert ran.status == ExitCode.NOT_FOUND
    assert ran.err.startswith("NOT_FOUND `none.graphql` does not exist")


def test_a_question_that_the_gateway_refuses_is_shown_and_has_its_status(
    demo: RunningDemo, command: Command, tmp_path: Path
) -> None:
    file = tmp_path / "question.graphql"
    file.write_text("{ nobody }", encoding="utf-8")
    ran = command("query", "--as", "inprev", "--purpose", PURPOSE, "--home", demo.home.root, file)
    assert ran.status == ExitCode.USAGE
    assert "GRAPHQL_VALIDATION_FAILED" in ran.out


def test_a_question_about_nobody_in_particular_says_how_to_name_somebody(demo: RunningDemo, command: Command) -> None:
    ran = command("query", "--as", "inprev", "--purpose", PURPOSE, "--home", demo.home.root, SHOWCASE)
    assert ran.status == ExitCode.USAGE
    assert "its variable `$by`: name one with `--citizen`" in ran.err


def test_a_folder_without_a_federation_is_named_with_the_way_out(command: Command, tmp_path: Path) -> None:
    ran = command("query", "--as", "inprev", "--purpose", PURPOSE, "--home", tmp_path / "none", SHOWCASE)
    assert ran.status == ExitCode.USAGE
    assert str(tmp_path / "none") in ran.err
    assert "crocevia demo" in ran.err
    assert ran.err.count("\n") == 1


def test_the_report_of_an_unknown_citizen_does_not_repeat_the_tax_code(demo: RunningDemo, command: Command) -> None:
    ran = command("report", "--citizen", "XXXXXX00X00X000X", "--home", demo.home.root)
    assert ran.status == ExitCode.NOT_FOUND
    assert ran.err.startswith("NOT_FOUND ")
    assert "XXXXXX00X00X000X" not in ran.err


def test_a_port_in_use_stops_the_demo_before_anything_is_made(demo: RunningDemo, tmp_path: Path) -> None:
    ran = crocevia(["demo", "--home", str(tmp_path), "--port", str(demo.ports.gateway), "--citizens", "10"])
    assert ran.status == ExitCode.USAGE
    assert ran.err.startswith(f"CONFIGURATION_INVALID port {demo.ports.gateway} for `gateway` is in use")
    assert "--port" in ran.err
    assert ran.err.count("\n") == 1
    assert not [made for made in tmp_path.iterdir() if made.is_dir()]  # no keys, no registers


def _question(demo: RunningDemo, text: str, **claims: Any) -> HttpRequest:
    partner = demo.partner("inprev")
    return question(partner, demo.gateway + "/graphql", token(demo, partner, PURPOSE, **claims), {"query": text})


def _post(asked: HttpRequest) -> httpx.Response:
    return httpx.post(asked.target_uri, content=asked.body, headers=dict(asked.headers), trust_env=False)


def _refusal(answer: httpx.Response) -> Said:
    content = answer.json()
    assert content.get("data") is None
    (error,) = content["errors"]
    return Said(answer.status_code, error["extensions"]["code"], error["message"])
