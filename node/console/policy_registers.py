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
from federation.contract.languages import Language
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
    require_declared,
)
from node.console.policy_output import print_json, say
from node.policy.bundle import REGISTER_FILE
from node.policy.cedar import cedar_policies
from node.policy.conditions import to_text
from node.policy.errors import nearest
from node.policy.forms import write_form
from node.policy.messages import message, said
from node.policy.odrl import draft_grants, to_odrl
from node.policy.pdnd import Answers, Asked, ceiling_invariants, draft_grant, open_answers, risk_form
from node.policy.registers import Declared, RiskAnalysis, register_of_processing, risk_analyses

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from node.policy.bundle import Bundle
    from node.policy.documents import GovernedField
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
    *,
    lang: LanguageOption,
) -> None:
    """Write the register of processing (GDPR art. 30), one entry per grant; what nobody declared is marked."""
    with errors_in_words(lang, output):
        rows = [
            {"member": folder.name, **dataclasses.asdict(entry)}
            for folder, bundle in bundles_in(policies, schema)
            for entry in register_of_processing(bundle, _declared(folder), lang)
        ]
        title = said(message("Register of processing (GDPR art. 30)"), lang)
        _write(title, _headed(rows, lang, output), output, out, lang)


def _declared(folder: Path) -> Declared:
    """Read register.yaml beside a bundle, or the one that several bundles of an administration share."""
    found = next((path for path in (folder / REGISTER_FILE, folder.parent / REGISTER_FILE) if path.is_file()), None)
    return Declared() if found is None else Declared.parse(found.read_bytes())


def dpia(
    policies: PoliciesOption = DEFAULT_FOLDER,
    schema: SchemaOption = None,
    output: RegisterFormatOption = RegisterFormat.MARKDOWN,
    out: OutOption = None,
    *,
    lang: LanguageOption,
) -> None:
    """Write the risk analysis per purpose and recipient, as input of a DPIA; what only people know is left open."""
    with errors_in_words(lang, output):
        rows = [
            {"member": folder.name, **dataclasses.asdict(analysis)}
            for folder, bundle in bundles_in(policies, schema)
            for analysis in risk_analyses(bundle)
        ]
        title = said(message("Risk analysis, input of the impact assessment (GDPR art. 35)"), lang)
        _write(title, _headed(rows, lang, output), output, out, lang)


_HEADERS: Final = {
    "member": message("member"),
    "controller": message("(a) controller · register.yaml"),
    "contact": message("(a) contact · register.yaml, else `owner`"),
    "joint_controllers": message("(a) joint controllers · register.yaml"),
    "representative": message("(a) representative · register.yaml"),
    "dpo": message("(a) data protection officer · register.yaml"),
    "purpose": message("purpose"),
    "purpose_name": message("(b) purpose of processing · `purpose`"),
    "subjects": message("(c) categories of subjects · register.yaml"),
    "data": message("(c) categories of data · `category`, `see`"),
    "special_categories": message("(c) special categories · `art9`"),
    "recipients": message("(d) recipients · `to`"),
    "transfers": message("(e) transfers to third countries · register.yaml"),
    "erasure": message("(f) erased after · `retain`"),
    "security": message("(g) security measures · policy, node, register.yaml"),
    "legal_basis": message("legal basis"),
    "legal_bases": message("legal bases"),
    "law": message("law"),
    "laws": message("laws"),
    "rows": message("which persons"),
    "valid": message("valid"),
    "rule": message("rule"),
    "gaps": message("to be declared"),
    "data_types": message("types of data (PDND)"),
    "delivery": message("delivery (PDND)"),
    "pursuit": message("pursuit (PDND)"),
    "fields": message("fields and forms"),
    "retentions": message("retention"),
    "consent": message("consent"),
    "prohibitions": message("prohibitions"),
    "measures": message("measures of the policy"),
    "open_questions": message("for the officer to declare"),
}


def _headed(rows: Sequence[Mapping[str, Any]], lang: Language, output: RegisterFormat) -> list[dict[str, Any]]:
    """Give columns and values the words of a language; the keys of JSON are stable."""
    if output is RegisterFormat.JSON:
        return [{key: _in(value, lang) for key, value in row.items()} for row in rows]
    return [{said(_HEADERS[key], lang): _cell(_in(value, lang), lang) for key, value in row.items()} for row in rows]


def _in(value: Any, lang: Language) -> Any:
    match value:
        case tuple() | list():
            return [_in(one, lang) for one in value]
        case str():
            return said(value, lang)
        case _:
            return value


def _cell(value: object, lang: Language) -> str:
    match value:
        case bool():
            return said(message("yes") if value else message("no"), lang)
        case list():
            return "\n".join(str(one) for one in value)
        case _:
            return str(value)


def _write(
    title: str, rows: Sequence[Mapping[str, Any]], output: RegisterFormat, out: Path | None, lang: Language
) -> None:
    if output is RegisterFormat.XLSX:
        _xlsx(title, rows, out, lang)
        return
    text = _text(title, rows, output)
    if out is None:
        typer.echo(text, nl=False)
    else:
        # Spreadsheets take a CSV file for UTF-8 only if it begins with a byte order mark.
        out.write_text(text, encoding="utf-8-sig" if output is RegisterFormat.CSV else "utf-8")
        say(said(message("wrote {path}", path=out), lang))


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


def _csv(rows: Sequence[Mapping[str, Any]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(rows[0] if rows else ())
    writer.writerows([_safe(value) for value in row.values()] for row in rows)
    return text.getvalue()


def _safe(text: str) -> str:
    """Keep a spreadsheet from reading a cell as a formula (OWASP, "CSV injection"), and from control characters."""
    plain = "".join(character for character in text if character >= " " or character == "\n")
    return (
        f"'{plain}"
        if plain.lstrip().startswith(("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20"))
        else plain
    )


def _markdown(title: str, rows: Sequence[Mapping[str, Any]]) -> str:
    lines = [f"# {title}", ""]
    if rows:
        lines += [f"| {' | '.join(rows[0])} |", f"|{'---|' * len(rows[0])}"]
        for row in rows:
            cells = [value.replace("|", "\\|").replace("\n", "<br>") for value in row.values()]
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _xlsx(title: str, rows: Sequence[Mapping[str, Any]], out: Path | None, lang: Language) -> None:
    if out is None:
        raise BadInputError(message("a spreadsheet is written to a file; name it with `--out`"))
    from openpyxl import Workbook  # noqa: PLC0415  # a tenth of a second that only who writes a spreadsheet waits for
    from openpyxl.styles import Alignment, Font  # noqa: PLC0415  # as above

    book = Workbook()
    sheet = book.active
    sheet.title = title[:31]
    sheet.append(list(rows[0]) if rows else [])
    for row in rows:
        sheet.append([_safe(value) for value in row.values()])
    for cell in sheet[1]:
        cell.font = Font(bold=True)
        sheet.column_dimensions[cell.column_letter].width = _COLUMN_WIDTH
    for line in sheet.iter_rows(min_row=2):
        for cell in line:
            cell.alignment = Alignment(wrap_text=True, vertical="top")
    sheet.freeze_panes = "A2"
    book.save(out)
    say(said(message("wrote {path}", path=out), lang))


def export(
    policies: PoliciesOption = DEFAULT_FOLDER,
    schema: SchemaOption = None,
    odrl: Annotated[bool, typer.Option("--odrl", help="JSON-LD with one ODRL agreement per grant.")] = False,  # noqa: FBT002  # a flag
    cedar: Annotated[bool, typer.Option("--cedar", help="Cedar policies and entities.")] = False,  # noqa: FBT002  # a flag
    pdnd: Annotated[bool, typer.Option("--pdnd", help="One PDND risk analysis per purpose and recipient.")] = False,  # noqa: FBT002  # a flag
    as_json: Annotated[bool, typer.Option("--json", help="The documents as JSON.")] = False,  # noqa: FBT002  # a flag
    assigner: Annotated[str | None, typer.Option("--assigner", help="IRI of the administration, for ODRL.")] = None,
    output: FormatOption = Format.TABLE,
    *,
    lang: LanguageOption,
) -> None:
    """Write a bundle as ODRL, Cedar, PDND risk analyses or JSON; with `--format json` Cedar and errors are JSON too."""
    with errors_in_words(lang, output):
        if odrl + cedar + pdnd + as_json != 1:
            raise BadInputError(message("choose one of `--odrl`, `--cedar`, `--pdnd`, `--json`"))
        folder, bundle = one_bundle(policies, schema)
        if odrl:
            iri = assigner or f"https://w3id.org/crocevia/member/{folder.name}"
            print_json(to_odrl(bundle, iri))
        elif cedar:
            try:
                texts = [cedar_policies(document) for _, document in sorted(bundle.types.items())]
            except ValueError as error:
                raise BadInputError(message("this policy has no translation: {error}", error=error)) from error
            if output is Format.JSON:
                print_json({"policies": "\n".join(texts)})
            else:
                typer.echo("\n".join(texts))
        elif pdnd:
            print_json([_risk_form(analysis, bundle) for analysis in risk_analyses(bundle)])
        else:
            print_json(_bundle_json(bundle))


def _risk_form(analysis: RiskAnalysis, bundle: Bundle) -> dict[str, Any]:
    purpose = bundle.vocabulary.purposes[analysis.purpose].italian
    filled = risk_form(analysis, purpose)
    return {
        "purpose": analysis.purpose,
        "recipients": analysis.recipients,
        "open": list(open_answers(filled["answers"])),
        "riskAnalysisForm": filled,
    }


def _bundle_json(bundle: Bundle) -> dict[str, Any]:
    return {
        "digest": bundle.digest,
        "types": {
            name: {
                "version": document.version,
                "owner": document.owner,
                "attributes": {key: str(value) for key, value in document.attributes.items()},
                "fields": {key: _field_json(field) for key, field in document.fields.items()},
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
                "neverTogether": [
                    {"id": rule.id, "fields": list(rule.fields), "to": {"kind": list(rule.kinds)}, "law": rule.law}
                    for rule in document.never_together
                ],
            }
            for name, document in sorted(bundle.types.items())
        },
        "invariants": [
            {
                "id": invariant.id,
                "type": invariant.type_name,
                "fields": list(invariant.fields),
                "form": invariant.written(),
                "when": to_text(invariant.when),
            }
            for invariant in bundle.invariants
        ],
    }


def _field_json(field: GovernedField) -> dict[str, Any]:
    return {
        "category": field.category.name,
        "lookup": "exact" if field.exact_lookup else None,
        "computedFrom": list(field.computed_from),
        "declassified": field.declassified,
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
    *,
    lang: LanguageOption,
) -> None:
    """Read agreements or a risk analysis as draft grants, for an officer to complete; nothing comes into force."""
    with errors_in_words(lang, output):
        if odrl + pdnd != 1:
            raise BadInputError(message("say what the file is: `--odrl` or `--pdnd`"))
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
        raise NotFoundError(message("file `{path}` does not exist", path=file))
    try:
        return msgspec.json.decode(file.read_bytes())
    except msgspec.DecodeError as error:
        raise BadInputError(message("`{file}` is not JSON: {error}", file=file, error=error)) from error


def _from_risk_analysis(
    document: Any, bundle: Bundle, kinds: list[str], purpose: str | None, coordinates: list[str]
) -> dict[str, Any]:
    """Return a draft grant per type, what bounds it, and what belongs into the agreement."""
    vocabulary = bundle.vocabulary
    if not kinds or purpose is None:
        raise BadInputError(
            message("a risk analysis does not say who asks and for what: add `--as KIND --for PURPOSE`")
        )
    require_declared(message("kind"), kinds, vocabulary.kinds)
    require_declared(message("purpose"), [purpose], vocabulary.purposes)
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
        "open": [key for key in ("law", "retain") if getattr(answers, key) is None],
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
            raise NotFoundError(
                message(
                    "`{name}` is not governed here{nearest}",
                    name=coordinate,
                    nearest=nearest(coordinate, known),
                )
            )
        name, _, field = coordinate.partition(".")
        chosen.setdefault(name, {})[field] = every[name][field]
    return chosen
