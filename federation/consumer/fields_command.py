"""`crocevia fields`: what a member may see for a purpose, by which rules, and why a field is denied."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Sequence
from typing import Annotated, Any, Final

import typer
from graphql import GraphQLSchema
from graphql.pyutils import suggestion_list
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from federation.consumer.commands import Partner, asked, status_of
from federation.consumer.home import DEFAULT_HOME, HomeOption, LanguageOption, api_schema_at
from federation.contract.errors import NotFoundError
from federation.contract.exit_codes import ExitCode
from federation.contract.languages import Language

MY_FIELDS: Final = """query($type: String) {
  myFields(type: $type) {
    fields { member coordinate form conditional explanation { en it } grants { id law consent retain validUntil } }
    gaps
  }
}"""
WHY: Final = """query($coordinate: String!) {
  whyDenied(coordinate: $coordinate) {
    verdicts { member coordinate code explanation { en it } contact policyRevision missing { clause needed } }
    gaps
  }
}"""


def fields(
    as_: Annotated[str, typer.Option("--as", help="The member that asks.")],
    purpose: Annotated[str, typer.Option(help="The one purpose it would ask for.")],
    type_: Annotated[str | None, typer.Option("--type", help="Only fields of this type, such as `Citizen`.")] = None,
    why: Annotated[str | None, typer.Option(help="Say why this field is denied, such as `Citizen.taxCode`.")] = None,
    format_: Annotated[
        str | None, typer.Option("--format", help="`table` or `json`; a table on a terminal, JSON otherwise.")
    ] = None,
    home: HomeOption = DEFAULT_HOME,
    *,
    lang: LanguageOption,
) -> None:
    """Show what a member may see for a purpose, by which rules, or why a field is denied to it."""
    partner = Partner.open(home, as_)
    agreement = partner.agreement_for(purpose)
    require_known(api_schema_at(home), type_ if why is None else why)
    text, variables = (MY_FIELDS, {"type": type_}) if why is None else (WHY, {"coordinate": why})
    answer = asyncio.run(asked(partner, text, purpose, agreement, variables, None))
    content = answer.content
    console = Console()
    if (format_ or ("table" if console.is_terminal else "json")) == "json":
        sys.stdout.write(json.dumps(content, ensure_ascii=False, indent=2) + "\n")
    else:
        console.print(rendered(content, lang))
    refused = any(found is None for found in (content.get("data") or {"": None}).values())
    raise typer.Exit(max(status_of(answer), ExitCode.USAGE) if refused else ExitCode.OK)


def require_known(schema: GraphQLSchema, asked: str | None) -> None:
    """Refuse a type or a field coordinate that the federation's schema does not have, before anybody is asked.

    Raises:
        NotFoundError: names the nearest ones.
    """
    types = {name for name in schema.type_map if not name.startswith("__")}
    fields = {f"{name}.{field}" for name in types for field in getattr(schema.type_map[name], "fields", ())}
    known = types if asked is None or "." not in asked else fields
    if asked is not None and asked not in known:
        near = suggestion_list(asked, sorted(known))[:1]
        meant = "".join(f"; did you mean `{each}`?" for each in near)
        raise NotFoundError(f"`{asked}` is not in the federation's schema{meant}")


def rendered(content: dict[str, Any], language: Language) -> RenderableType:
    """Return what a terminal shows of an answer."""
    data = content.get("data") or {}
    told: list[RenderableType] = [
        Text(f"{error.get('extensions', {}).get('code', 'ERROR')}: {error.get('message', '')}", "red")
        for error in content.get("errors") or ()
    ]
    silent = "nessuna risposta" if language is Language.ITALIAN else "no answer"
    for found in data.values():
        if found is not None:
            told.append(_accesses(found["fields"], language) if "fields" in found else _verdicts(found, language))
            told += [Text(f"{member}: {silent}", "yellow") for member in found["gaps"]]
    return Group(*told)


def _accesses(found: list[dict[str, Any]], language: Language) -> Table:
    """What is seen alike, under the same rules, is one row."""
    alike: dict[tuple[str, str, str, str], list[str]] = {}
    for one in found:
        rules = "\n".join(grant["id"] for grant in one["grants"])
        colour = "green" if one["form"] == "clear" else "yellow"
        alike.setdefault((one["member"], one["explanation"][language], colour, rules), []).append(one["coordinate"])
    table = _table(("campo", "ente", "come", "regole"), ("field", "member", "how", "rules"), language)
    for (member, how, colour, rules), coordinates in alike.items():
        table.add_row("\n".join(coordinates), member, Text(how, colour), rules)
    return table


def _verdicts(found: dict[str, Any], language: Language) -> Table:
    table = _table(("ente", "esito", "a chi chiedere", "politica"), ("member", "verdict", "ask", "policy"), language)
    revision = "revisione" if language is Language.ITALIAN else "revision"
    for one in found["verdicts"]:
        said = Text(one["explanation"][language], "red" if one["code"] else "green")
        table.add_row(one["member"], said, one["contact"], f"{revision} {one['policyRevision']}")
    return table


def _table(italian: Sequence[str], english: Sequence[str], language: Language) -> Table:
    """A table that folds what is too wide: half an address of whom to ask is none."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    for title in italian if language is Language.ITALIAN else english:
        table.add_column(title, overflow="fold")
    return table
