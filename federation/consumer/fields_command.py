"""`crocevia fields`: what a member may see for a purpose, by which rules, and why a field is denied."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Annotated, Any, Final

import typer
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from federation.consumer.commands import Partner, asked, status_of
from federation.consumer.home import DEFAULT_HOME, HomeOption, LanguageOption
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
    text, variables = (MY_FIELDS, {"type": type_}) if why is None else (WHY, {"coordinate": why})
    answer = asyncio.run(asked(partner, text, purpose, agreement, variables, None))
    content = answer.content
    console = Console()
    if (format_ or ("table" if console.is_terminal else "json")) == "json":
        sys.stdout.write(json.dumps(content, ensure_ascii=False, indent=2) + "\n")
    else:
        console.print(_rendered(content, lang))
    refused = any(found is None for found in (content.get("data") or {"": None}).values())
    raise typer.Exit(max(status_of(answer), ExitCode.USAGE) if refused else ExitCode.OK)


def _rendered(content: dict[str, Any], language: Language) -> RenderableType:
    data = content.get("data") or {}
    told: list[RenderableType] = [
        Text(f"{error.get('extensions', {}).get('code', 'ERROR')}: {error.get('message', '')}", "red")
        for error in content.get("errors") or ()
    ]
    for found in data.values():
        if found is not None:
            told.append(_accesses(found["fields"], language) if "fields" in found else _verdicts(found, language))
            told += [Text(f"{member}: no answer", "yellow") for member in found["gaps"]]
    return Group(*told)


def _accesses(found: list[dict[str, Any]], language: Language) -> Table:
    table = Table("field", "member", "how", "rules", box=None, header_style="bold")
    for one in found:
        rules = ", ".join(grant["id"] for grant in one["grants"])
        how = Text(one["explanation"][language], "green" if one["form"] == "clear" else "yellow")
        table.add_row(one["coordinate"], one["member"], how, rules)
    return table


def _verdicts(found: dict[str, Any], language: Language) -> Table:
    table = Table("member", "verdict", "ask", "policy", box=None, header_style="bold")
    for one in found["verdicts"]:
        said = Text(one["explanation"][language], "red" if one["code"] else "green")
        table.add_row(one["member"], said, one["contact"], f"revision {one['policyRevision']}")
    return table
