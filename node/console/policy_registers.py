"""The commands that write a policy for others: `ropa`, `dpia`, `export` and `import`."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import msgspec
import typer
import yaml

from federation.contract.clock import SystemClock, day_in_rome
from federation.contract.errors import BadInputError, NotFoundError
from node.console.policy_options import (
    DEFAULT_FOLDER,
    Format,
    FormatOption,
    LanguageOption,
    PoliciesOption,
    SchemaOption,
    bundles_in,
    errors_in_words,
    one_bundle,
)
from node.console.policy_output import print_json, say
from node.policy.cedar import cedar_policies
from node.policy.conditions import to_text
from node.policy.errors import nearest
from node.policy.forms import write_form
from node.policy.odrl import draft_grants, to_odrl
from node.policy.pdnd import Answers, Asked, ceiling_invariants, draft_grant, risk_form
from node.policy.registers import RiskAnalysis, register_of_processing, risk_analyses
from node.policy.sentences import Language

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from node.policy.bundle import Bundle
    from node.policy.vocabulary import Category


class RegisterFormat(StrEnum):
    """How a register is written."""

    MARKDOWN = "md"
    JSON = "json"
    CSV = "csv"
    XLSX = "xlsx"


_COLUMN_WIDTH: Final = 28
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
        _write(_TITLES["ropa", lang], _headed(rows, lang, output), output, out)


def dpia(
    policies: PoliciesOption = DEFAULT_FOLDER,
    schema: SchemaOption = None,
    output: RegisterFormatOption = RegisterFormat.MARKDOWN,
    out: OutOption = None,
    lang: LanguageOption = Language.ITALIAN,
) -> None:
    """Write the risk analysis per purpose and recipient, as input of a DPIA; what only people know is left open."""
    with errors_in_words():
        rows = [
            {"member": folder.name, **dataclasses.asdict(analysis)}
            for folder, bundle in bundles_in(policies, schema)
            for analysis in risk_analyses(bundle)
        ]
        _write(_TITLES["dpia", lang], _headed(rows, lang, output), output, out)


_TITLES: Final = {
    ("ropa", Language.ITALIAN): "Registro delle attività di trattamento (art. 30 GDPR)",
    ("ropa", Language.ENGLISH): "Register of processing (GDPR art. 30)",
    ("dpia", Language.ITALIAN): "Analisi del rischio, base della valutazione d'impatto (art. 35 GDPR)",
    ("dpia", Language.ENGLISH): "Risk analysis, input of the impact assessment (GDPR art. 35)",
}
_HEADERS: Final = {
    "member": ("ente", "member"),
    "controller": ("titolare (a)", "controller (a)"),
    "purpose": ("finalità", "purpose"),
    "purpose_name": ("finalità del trattamento (b)", "purpose of processing (b)"),
    "subjects": ("interessati (c)", "subjects (c)"),
    "data": ("categorie di dati (c)", "categories of data (c)"),
    "special_categories": ("categorie particolari", "special categories"),
    "recipients": ("destinatari (d)", "recipients (d)"),
    "transfers": ("trasferimenti (e)", "transfers (e)"),
    "erasure": ("cancellazione dopo (f)", "erased after (f)"),
    "legal_basis": ("base giuridica", "legal basis"),
    "legal_bases": ("basi giuridiche", "legal bases"),
    "law": ("norma", "law"),
    "laws": ("norme", "laws"),
    "rows": ("quali persone", "which persons"),
    "valid": ("validità", "valid"),
    "rule": ("regola", "rule"),
    "data_types": ("tipi di dati (PDND)", "types of data (PDND)"),
    "delivery": ("modalità di consegna (PDND)", "delivery (PDND)"),
    "pursuit": ("scopo perseguito (PDND)", "pursuit (PDND)"),
    "fields": ("campi e forme", "fields and forms"),
    "retentions": ("conservazione", "retention"),
    "consent": ("consenso", "consent"),
    "prohibitions": ("divieti", "prohibitions"),
    "open_questions": ("da dichiarare a cura dell'incaricato", "for the officer to declare"),
}


def _headed(rows: Sequence[Mapping[str, Any]], lang: Language, output: RegisterFormat) -> list[dict[str, Any]]:
    """Give columns the words of a language; programs, which read JSON, keep stable keys."""
    if output is RegisterFormat.JSON:
        return [dict(row) for row in rows]
    position = list(Language).index(lang)
    return [{_HEADERS[key][position]: value for key, value in row.items()} for row in rows]


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
    from openpyxl import Workbook  # noqa: PLC0415  # a tenth of a second that only who writes a spreadsheet waits for
    from openpyxl.styles import Alignment, Font  # noqa: PLC0415  # as above

    book = Workbook()
    sheet = book.active
    sheet.title = title[:31]
    sheet.append(list(rows[0]) if rows else [])
    for row in rows:
        sheet.append([_safe(_cell(value)) for value in row.values()])
    for cell in sheet[1]:
        cell.font = Font(bold=True)
        sheet.column_dimensions[cell.column_letter].width = _COLUMN_WIDTH
    for line in sheet.iter_rows(min_row=2):
        for cell in line:
            cell.alignment = Alignment(wrap_text=True, vertical="top")
    sheet.freeze_panes = "A2"
    book.save(out)
    say(f"wrote {out}")


def export(
    policies: PoliciesOption = DEFAULT_FOLDER,
    schema: SchemaOption = None,
    odrl: Annotated[bool, typer.Option("--odrl", help="JSON-LD with one ODRL agreement per grant.")] = False,  # noqa: FBT002  # a flag
    cedar: Annotated[bool, typer.Option("--cedar", help="Cedar policies and entities.")] = False,  # noqa: FBT002  # a flag
    pdnd: Annotated[bool, typer.Option("--pdnd", help="One PDND risk analysis per purpose and recipient.")] = False,  # noqa: FBT002  # a flag
    as_json: Annotated[bool, typer.Option("--json", help="The documents as JSON.")] = False,  # noqa: FBT002  # a flag
    assigner: Annotated[str | None, typer.Option("--assigner", help="IRI of the administration, for ODRL.")] = None,
) -> None:
    """Write a bundle as ODRL, Cedar, PDND risk analyses or JSON."""
    with errors_in_words():
        if odrl + cedar + pdnd + as_json != 1:
            raise BadInputError("choose one of `--odrl`, `--cedar`, `--pdnd`, `--json`")
        folder, bundle = one_bundle(policies, schema)
        if odrl:
            iri = assigner or f"https://w3id.org/crocevia/member/{folder.name}"
            print_json(to_odrl(bundle, iri))
        elif cedar:
            try:
                texts = [cedar_policies(document) for _, document in sorted(bundle.types.items())]
            except ValueError as error:
                raise BadInputError(f"this policy has no translation: {error}") from error
            typer.echo("\n".join(texts))
        elif pdnd:
            print_json([_risk_form(analysis, bundle) for analysis in risk_analyses(bundle)])
        else:
            print_json(_bundle_json(bundle))


def _risk_form(analysis: RiskAnalysis, bundle: Bundle) -> dict[str, Any]:
    purpose = bundle.vocabulary.purposes[analysis.purpose].italian
    return {
        "purpose": analysis.purpose,
        "recipients": analysis.recipients,
        "open": list(analysis.open_questions),
        "riskAnalysisForm": risk_form(analysis, purpose),
    }


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
    file: Annotated[Path, typer.Argument(help="ODRL agreements (JSON-LD), or a PDND risk analysis (JSON).")],
    odrl: Annotated[bool, typer.Option("--odrl", help="The file is ODRL.")] = False,  # noqa: FBT002  # a flag
    pdnd: Annotated[bool, typer.Option("--pdnd", help="A PDND risk analysis.")] = False,  # noqa: FBT002  # a flag
    kind: Annotated[list[str] | None, typer.Option("--as", help="For a risk analysis: who asks; repeat it.")] = None,
    purpose: Annotated[str | None, typer.Option("--for", help="For a risk analysis: the vocabulary's purpose.")] = None,
    field: Annotated[
        list[str] | None, typer.Option("--field", help="For a risk analysis: a field to ask for; else all. Repeat it.")
    ] = None,
    policies: PoliciesOption = DEFAULT_FOLDER,
    schema: SchemaOption = None,
    output: FormatOption = Format.TABLE,
) -> None:
    """Read agreements or a risk analysis as draft grants, for an officer to complete; nothing comes into force."""
    with errors_in_words():
        if odrl + pdnd != 1:
            raise BadInputError("say what the file is: `--odrl` or `--pdnd`")
        _, bundle = one_bundle(policies, schema)
        document = _json_file(file)
        if odrl:
            drafted: dict[str, Any] = {"draft": draft_grants(document, bundle.vocabulary)}
        else:
            drafted = _from_risk_analysis(document, bundle, kind or [], purpose, field or [])
    if output is Format.JSON:
        print_json(drafted)
    else:
        typer.echo(yaml.safe_dump(drafted, sort_keys=False, allow_unicode=True, width=120), nl=False)


def _json_file(file: Path) -> Any:
    if not file.is_file():
        raise NotFoundError(f"file `{file}` does not exist")
    try:
        return msgspec.json.decode(file.read_bytes())
    except msgspec.DecodeError as error:
        raise BadInputError(f"`{file}` is not JSON: {error}") from error


def _from_risk_analysis(
    document: Any, bundle: Bundle, kinds: list[str], purpose: str | None, coordinates: list[str]
) -> dict[str, Any]:
    """Return a draft grant per type, what bounds it, and what belongs into the agreement."""
    vocabulary = bundle.vocabulary
    if not kinds or purpose is None:
        raise BadInputError("a risk analysis does not say who asks and for what: add `--as KIND --for PURPOSE`")
    for known, what, names in ((vocabulary.kinds, "kind", kinds), (vocabulary.purposes, "purpose", [purpose])):
        for name in names:
            if name not in known:
                raise BadInputError(f"{what} `{name}` is not in the vocabulary{nearest(name, known)}")
    answers = Answers.parse(document)
    today = day_in_rome(SystemClock().now())
    asked = Asked(tuple(kinds), purpose, today, date(today.year + 1, 12, 31))
    chosen = _asked_fields(bundle, coordinates)
    drafts = [draft_grant(answers, asked, name, fields, vocabulary.legal_bases) for name, fields in chosen.items()]
    every = {name: category for fields in chosen.values() for name, category in fields.items()}
    return {
        "draft": {draft.type_name: [draft.grant] for draft in drafts if draft.grant is not None},
        "ceiling": {
            "dataTypes": sorted(str(one) for one in answers.data_types),
            "deliveryMethod": str(answers.delivery),
            "purposePursuit": str(answers.pursuit),
        },
        "invariants": ceiling_invariants(answers, asked, every),
        "agreement": {"dailyRequests": answers.daily_requests},
        "nothing": [draft.type_name for draft in drafts if draft.grant is None],
    }


def _asked_fields(bundle: Bundle, coordinates: list[str]) -> dict[str, dict[str, Category]]:
    every = {
        name: {field.name: field.category for field in document.fields.values()}
        for name, document in sorted(bundle.types.items())
    }
    if not coordinates:
        return every
    known = [f"{name}.{field}" for name, fields in every.items() for field in fields]
    chosen: dict[str, dict[str, Category]] = {}
    for coordinate in coordinates:
        if coordinate not in known:
            raise NotFoundError(f"field `{coordinate}` is not governed here{nearest(coordinate, known)}")
        name, _, field = coordinate.partition(".")
        chosen.setdefault(name, {})[field] = every[name][field]
    return chosen
