"""`crocevia query` and `crocevia report`: asking as a partner, and asking as a citizen who looked."""

from __future__ import annotations

import asyncio
import json
import secrets
import ssl
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import httpx
import msgspec
import typer
from graphql import GraphQLError, NonNullTypeNode, get_operation_ast, parse
from rich.console import Console

from federation.consumer.access import ACCESS_REPORT, REPORT_PURPOSE, whole_report
from federation.consumer.client import Answer, PartnerClient
from federation.consumer.evidence_commands import keep_evidence
from federation.consumer.home import DEFAULT_HOME, HomeOption, LanguageOption, api_schema_at, federation_at
from federation.consumer.portal import KNOWN_CITIZENS, find_citizen
from federation.consumer.render import render_answer
from federation.consumer.report_view import render_report, report_json
from federation.consumer.words import Words
from federation.contract.canonical import b64url
from federation.contract.clock import SystemClock, day_in_rome
from federation.contract.delegation import DELEGATION, Delegation, DelegationBasis
from federation.contract.errors import (
    BadInputError,
    NotFoundError,
    PurposeNotAgreedError,
)
from federation.contract.evidence import ASKS_FOR_EVIDENCE
from federation.contract.exit_codes import ExitCode
from federation.contract.identifiers import PORTAL, MemberId
from federation.contract.members import Agreement, AgreementState, MemberList
from federation.contract.on_denied import OnDenied
from federation.contract.trusted_documents import is_document_id
from federation.trust.channel import asking_from
from federation.trust.keys import MESSAGE_KEY, SigningKey

_NONCE_BYTES = 18
_SECONDS = 10.0
_CITIZEN_VARIABLE = "by"


@dataclass(frozen=True, slots=True)
class Partner:
    """A partner at its own machine: who it is, its key, and the federation it trusts.

    `asking` is how it verifies servers and, where it has a certificate, proves itself to them.
    """

    member: MemberId
    key: SigningKey
    members: MemberList
    asking: ssl.SSLContext | bool = True

    @classmethod
    def open(cls, home: Path, member: str) -> Partner:
        """Read the partner's key and the signed member list.

        Raises:
            ConfigurationError: the folder holds no federation or no key of the member.
            UnknownMemberError: the member is not on the list.
        """
        members = federation_at(home)
        known = members.member(member)
        keys = home / known.id / "keys"
        return cls(known.id, SigningKey.load(keys / MESSAGE_KEY), members, asking_from(keys))

    def http(self, seconds: float = _SECONDS) -> httpx.AsyncClient:
        """Return connections to the federation's servers."""
        return httpx.AsyncClient(timeout=seconds, trust_env=False, verify=self.asking)

    def agreement_for(self, purpose: str) -> Agreement:
        """Return an agreement under which the partner may ask for the purpose today.

        Raises:
            PurposeNotAgreedError: there is none; names the purposes there are.
        """
        day = day_in_rome(SystemClock().now())
        own = [
            agreement
            for agreement in self.members.agreements
            if agreement.consumer == self.member
            and agreement.state is AgreementState.ACTIVE
            and agreement.valid_from <= day <= agreement.valid_until
        ]
        for agreement in own:
            if any(agreed.id == purpose for agreed in agreement.purposes):
                return agreement
        known = ", ".join(f"`{agreed.id}`" for agreement in own for agreed in agreement.purposes) or "none"
        raise PurposeNotAgreedError(f"`{self.member}` has no active agreement for purpose `{purpose}`; it has {known}")

    def client(self, http: httpx.AsyncClient) -> PartnerClient:
        """Return the partner's client."""
        gateway = self.members.gateway.endpoint.removesuffix("/graphql")
        return PartnerClient(
            self.member, gateway, self.key, http, SystemClock(), lambda: b64url(secrets.token_bytes(_NONCE_BYTES))
        )


def query(
    file: Annotated[
        str, typer.Argument(help="File with a GraphQL operation, - for standard input, or the id of a listed one.")
    ],
    as_: Annotated[str, typer.Option("--as", help="The member that asks.")],
    purpose: Annotated[str, typer.Option(help="The one purpose it asks for.")],
    citizen: Annotated[
        str | None, typer.Option(help="Tax code or own pseudonym of the citizen, for the variable `by`.")
    ] = None,
    variables: Annotated[str, typer.Option(help="Variables as a JSON object.")] = "{}",
    operation: Annotated[str | None, typer.Option(help="Name of the operation, if the file holds several.")] = None,
    format_: Annotated[
        str | None, typer.Option("--format", help="`tree` or `json`; a tree on a terminal, JSON otherwise.")
    ] = None,
    evidence: Annotated[
        Path | None, typer.Option(help="Write the answer's evidence to this file, and verify it at once.")
    ] = None,
    on_denied: Annotated[
        OnDenied | None, typer.Option(help="`reject`: nothing is answered if a field is denied, at any member.")
    ] = None,
    home: HomeOption = DEFAULT_HOME,
) -> None:
    """Ask the federation as one of its members, for one purpose."""
    values = _variables(variables, citizen)
    text = _read(file)
    partner = Partner.open(home, as_)
    if _CITIZEN_VARIABLE not in values and _needs_citizen(text, operation):
        raise BadInputError("the operation is about a citizen, its variable `$by`: name one with `--citizen`")
    agreement = partner.agreement_for(purpose)
    extensions = {ASKS_FOR_EVIDENCE: True} if evidence else None
    answer = asyncio.run(asked(partner, text, purpose, agreement, values, operation, extensions, on_denied))
    console = Console()
    if (format_ or ("tree" if console.is_terminal else "json")) == "tree":
        console.print(render_answer(answer.content, f"{as_} · {purpose}"))
    else:
        sys.stdout.write(json.dumps(answer.content, ensure_ascii=False, indent=2) + "\n")
    status = status_of(answer)
    if evidence is not None and answer.content.get("data") is not None:
        status = keep_evidence(evidence, partner.member, answer, partner.members)
    raise typer.Exit(status)


def _needs_citizen(text: str, operation: str | None) -> bool:
    """Say whether the operation cannot do without its variable `by`; of what cannot be read the gateway says why."""
    try:
        chosen = get_operation_ast(parse(text), operation)
    except GraphQLError:
        return False
    return chosen is not None and any(
        each.variable.name.value == _CITIZEN_VARIABLE
        and isinstance(each.type, NonNullTypeNode)
        and each.default_value is None
        for each in chosen.variable_definitions or ()
    )


def report(
    citizen: Annotated[str, typer.Option(help="Tax code of the citizen who logs in at the portal.")],
    delegate: Annotated[str | None, typer.Option(help="Tax code of who acts for the citizen; it is recorded.")] = None,
    basis: Annotated[DelegationBasis, typer.Option(help="By what right the delegate acts.")] = DelegationBasis.ATTORNEY,
    format_: Annotated[
        str | None, typer.Option("--format", help="`table` or `json`; a table on a terminal, JSON otherwise.")
    ] = None,
    home: HomeOption = DEFAULT_HOME,
    *,
    lang: LanguageOption,
) -> None:
    """Show a citizen who looked at what, when, why and by which law, in every node."""
    known = home / PORTAL / KNOWN_CITIZENS
    pseudonym = find_citizen(known, citizen)
    extensions: dict[str, Any] = {}
    if delegate is not None:
        acting = Delegation(find_citizen(known, delegate), basis)
        extensions[DELEGATION] = msgspec.to_builtins(acting)
    partner = Partner.open(home, PORTAL)
    agreement = partner.agreement_for(REPORT_PURPOSE)

    async def ask(values: dict[str, Any]) -> Answer:
        return await asked(partner, ACCESS_REPORT, REPORT_PURPOSE, agreement, values, None, extensions)

    found = asyncio.run(whole_report(ask, pseudonym, partner.members))
    console = Console()
    if (format_ or ("table" if console.is_terminal else "json")) == "table":
        console.print(render_report(found, Words(lang, partner.members, api_schema_at(home))))
    else:
        sys.stdout.write(json.dumps(report_json(found), ensure_ascii=False, indent=2) + "\n")
    raise typer.Exit(ExitCode.OK if found.whole else ExitCode.CHECK_FAILED)


async def asked(
    partner: Partner,
    text: str,
    purpose: str,
    agreement: Agreement,
    values: dict[str, Any],
    operation: str | None,
    extensions: dict[str, Any] | None = None,
    on_denied: OnDenied | None = None,
) -> Answer:
    """Ask one question in a partner's name.

    Raises:
        UnavailableError: the gateway does not answer.
    """
    async with partner.http() as http:
        client = partner.client(http)
        return await client.ask(text, purpose, agreement.id, values, operation, extensions, on_denied)


def _variables(text: str, citizen: str | None) -> dict[str, Any]:
    try:
        values = json.loads(text)
    except json.JSONDecodeError as error:
        raise BadInputError(f"`--variables` is not JSON: line {error.lineno}, column {error.colno}") from error
    if not isinstance(values, dict):
        raise BadInputError('`--variables` must be a JSON object, such as {"first": 5}')
    if citizen is not None:
        values["by"] = {"id" if citizen.startswith("v1.") else "taxCode": citizen}
    return values


def _read(file: str) -> str:
    if is_document_id(file):
        return file
    if file == "-":
        return sys.stdin.read()
    try:
        return Path(file).read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise NotFoundError(f"`{file}` does not exist; give a file with a GraphQL operation, or `-`") from error
    except (OSError, UnicodeDecodeError) as error:
        raise BadInputError(f"`{file}` cannot be read as UTF-8 text") from error


def status_of(answer: Answer) -> ExitCode:
    """A partial answer is an answer; one without data is a refusal, or a federation that does not work."""
    if answer.content.get("data") is not None:
        return ExitCode.OK
    if answer.status in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN, httpx.codes.TOO_MANY_REQUESTS}:
        return ExitCode.REFUSED
    return ExitCode.UNREACHABLE if answer.status >= httpx.codes.INTERNAL_SERVER_ERROR else ExitCode.USAGE
