"""The commands that write a policy for others: `ropa`, `dpia`, `export` and `import`."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
import typer
import yaml

from federation.contract.errors import BadInputError, NotFoundError
from node.console.policy_options import (
    DEFAULT_FOLDER,
    LanguageOption,
    PoliciesOption,
    SchemaOption,
    bundles_in,
    errors_in_words,
)
from node.console.policy_output import say
from node.policy.cedar import cedar_policies
from node.policy.conditions import to_text
from node.policy.forms import write_form
from node.policy.odrl import draft_grants, to_odrl
from node.policy.registers import register_of_processing, risk_analyses
from node.policy.sentences import Language

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from node.policy.bundle import Bundle


class RegisterFormat(StrEnum):
    """How a register is written."""

    MARKDOWN = "md"
    JSON = "json"
    CSV = "csv"
    XLSX = "xlsx"


RegisterFormatOption = Annotated[RegisterFormat, typer.Option("--format", help="How the register is written.")]
OutOption = Annotated[Path | None, typer.Option("--out", help="File to write; standard output if omitted.")]


def ropa(
    policies: PoliciesOption = DEFAULT_FOLDER,
    schema: SchemaOption = None,
    output: RegisterFormatOption = RegisterFormat.MARKDOWN,
    out: OutOption = None,
    lang: LanguageOption = Language.ITALIAN,
) -> None:
    """Write the register of processing (GDPR art. 30), one entry per grant."""
    with errors_in_words():
        rows = [
            {"member": folder.name, **dataclasses.asdict(entry)}
            for folder, bundle in bundles_in(policies, schema)
            for entry in register_of_processing(bundle, lang)
        ]
        _write("Registro delle attività di trattamento", rows, output, out)


def dpia(
    policies: PoliciesOption = DEFAULT_FOLDER,
    schema: SchemaOption = None,
    output: RegisterFormatOption = RegisterFormat.MARKDOWN,
    out: OutOption = None,
) -> None:
    """Write the risk analysis per purpose and recipient, as input of a DPIA; what only people know is left open."""
    with errors_in_words():
        rows = [
            {"member": folder.name, **dataclasses.asdict(analysis)}
            for folder, bundle in bundles_in(policies, schema)
            for analysis in risk_analyses(bundle)
        ]
        _write("Analisi del rischio", rows, output, out)


def _write(title: str, rows: Sequence[Mapping[str, Any]], output: RegisterFormat, out: Path | None) -> None:
    if output is RegisterFormat.XLSX:
        _xlsx(title, rows, out)
        return
    text = _text(title, rows, output)
    if out is None:
        typer.echo(text, nl=False)
    else:
        out.write_text(text, encoding="utf-8")
        say(f"wrote {out}")


def _text(
    title: str,
    rows: Sequence[Mapping[str, Any]],
    output: Literal[RegisterFormat.JSON, RegisterFormat.CSV, RegisterFormat.MARKDOWN],
) -> str:
    match output:
        case RegisterFormat.JSON:
            return json.dumps(rows, ensure_ascii=False, indent=2) + "\n"
        case RegisterFormat.CSV:
            return _csv(rows)
        case RegisterFormat.MARKDOWN:
            return _markdown(title, rows)


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "\n".join(str(one) for one in value) if isinstance(value, (tuple, list)) else str(value)


def _csv(rows: Sequence[Mapping[str, Any]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(rows[0] if rows else ())
    writer.writerows([_safe(_cell(value)) for value in row.values()] for row in rows)
    return text.getvalue()


def _safe(text: str) -> str:
    """Keep a spreadsheet from reading a cell as a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@")) else text


def _markdown(title: str, rows: Sequence[Mapping[str, Any]]) -> str:
    lines = [f"# {title}", ""]
    if rows:
        lines += [f"| {' | '.join(rows[0])} |", f"|{'---|' * len(rows[0])}"]
        for row in rows:
            cells = [_cell(value).replace("|", "\\|").replace("\n", "<br>") for value in row.values()]
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _xlsx(title: str, rows: Sequence[Mapping[str, Any]], out: Path | None) -> None:
    if out is None:
        raise BadInputError("a spreadsheet is written to a file; name it with `--out`")
    try:
        from openpyxl import Workbook  # noqa: PLC0415  # an optional package
    except ImportError as error:
        raise BadInputError("package `openpyxl` is not installed; install it, or use `--format csv`") from error
    book = Workbook()
    sheet = book.active
    sheet.title = title[:31]
    sheet.append(list(rows[0]) if rows else [])
    for row in rows:
        sheet.append([_safe(_cell(value)) for value in row.values()])
    book.save(out)
    say(f"wrote {out}")


def export(
    policies: PoliciesOption = DEFAULT_FOLDER,
    schema: SchemaOption = None,
    odrl: Annotated[bool, typer.Option("--odrl", help="JSON-LD with one ODRL agreement per grant.")] = False,  # noqa: FBT002  # a flag
    cedar: Annotated[bool, typer.Option("--cedar", help="Cedar policies and entities.")] = False,  # noqa: FBT002  # a flag
    as_json: Annotated[bool, typer.Option("--json", help="The documents as JSON.")] = False,  # noqa: FBT002  # a flag
    assigner: Annotated[str | None, typer.Option("--assigner", help="IRI of the administration, for ODRL.")] = None,
) -> None:
    """Write a bundle as ODRL, Cedar or JSON."""
    with errors_in_words():
        if odrl + cedar + as_json != 1:
            raise BadInputError("choose one of `--odrl`, `--cedar`, `--json`")
        [(folder, bundle), *others] = list(bundles_in(policies, schema))
        if others:
            raise BadInputError(f"`{policies}` holds several bundles; name one of them with `--policies`")
        if odrl:
            iri = assigner or f"https://w3id.org/crocevia/member/{folder.name}"
            typer.echo(json.dumps(to_odrl(bundle, iri), ensure_ascii=False, indent=2))
        elif cedar:
            try:
                texts = [cedar_policies(document) for _, document in sorted(bundle.types.items())]
            except ValueError as error:
                raise BadInputError(f"this policy has no translation: {error}") from error
            typer.echo("\n".join(texts))
        else:
            typer.echo(json.dumps(_bundle_json(bundle), ensure_ascii=False, indent=2))


def _bundle_json(bundle: Bundle) -> dict[str, Any]:
    return {
        "digest": bundle.digest,
        "types": {
            name: {
                "version": document.version,
                "owner": document.owner,
                "attributes": {key: str(value) for key, value in document.attributes.items()},
                "fields": {key: field.category.name for key, field in document.fields.items()},
                "grants": [
                    {
                        "id": grant.id,
                        "to": {"kind": list(grant.kinds)},
                        "purpose": grant.purpose,
                        "basis": list(grant.basis),
                        "basis9": list(grant.basis9),
                        "law": grant.law,
                        "rows": to_text(grant.rows),
                        "consent": grant.consent,
                        "see": {key: write_form(form) for key, form in grant.see.items()},
                        "aggregates": None if grant.aggregates is None else dataclasses.asdict(grant.aggregates),
                        "valid": {"from": str(grant.valid.first), "until": str(grant.valid.last)},
                        "retain": grant.retain,
                    }
                    for grant in document.grants
                ],
                "prohibitions": [
                    {
                        "id": rule.id,
                        "fields": list(rule.fields),
                        "rows": to_text(rule.rows),
                        "when": to_text(rule.when),
                        "unless": to_text(rule.unless),
                        "law": rule.law,
                        "hides": str(rule.hides),
                    }
                    for rule in document.prohibitions
                ],
            }
            for name, document in sorted(bundle.types.items())
        },
    }


def import_policy(
    file: Annotated[Path, typer.Argument(help="A JSON-LD document with ODRL agreements.")],
    odrl: Annotated[bool, typer.Option("--odrl", help="The file is ODRL.")] = False,  # noqa: FBT002  # a flag
    policies: PoliciesOption = DEFAULT_FOLDER,
) -> None:
    """Read agreements as draft grants, for an officer to complete; nothing comes into force."""
    with errors_in_words():
        if not odrl:
            raise BadInputError("say what the file is: `--odrl`")
        if not file.is_file():
            raise NotFoundError(f"file `{file}` does not exist")
        try:
            document = msgspec.json.decode(file.read_bytes())
        except msgspec.DecodeError as error:
            raise BadInputError(f"`{file}` is not JSON: {error}") from error
        bundle = next(bundle for _, bundle in bundles_in(policies, None))
        drafts = draft_grants(document, bundle.vocabulary)
        typer.echo(yaml.safe_dump({"draft": drafts}, sort_keys=False, allow_unicode=True, width=120), nl=False)
