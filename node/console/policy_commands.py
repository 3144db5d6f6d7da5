"""`crocevia policy …`: what a privacy officer does with policies on the command line.

Results go to standard output, in words or as JSON; everything else goes to standard error. Exit codes: 0 all well,
1 a check failed or a difference was found, 2 wrong usage, 4 nothing found.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from federation.contract.clock import SystemClock, day_in_rome
from federation.contract.errors import BadInputError, NotFoundError
from node.console import policy_registers, policy_signing
from node.console.matrix_page import matrix_page
from node.console.policy_analysis import compare_bundles, mutate_bundles, prove_bundles, replay_log
from node.console.policy_folders import SCHEMA_FILE, bundle_folders, check_folder, schema_text, shared_policies_folder
from node.console.policy_options import (
    DEFAULT_FOLDER,
    Format,
    FormatOption,
    LanguageOption,
    PoliciesOption,
    SchemaOption,
    bundles_in,
    errors_in_words,
    exit_if,
    one_bundle,
    require_declared,
)
from node.console.policy_output import (
    checked_json,
    explanation_json,
    lock_differs,
    out,
    print_checked,
    print_explanation,
    print_json,
    print_matrix,
    print_trials,
    say,
    sentences_of,
    trial_json,
)
from node.policy.bundle import LOCK_FILE, VOCABULARY_FILE, Bundle, vocabulary_of
from node.policy.documents import TypeDocument
from node.policy.errors import nearest
from node.policy.explanation import Question, explain
from node.policy.findings import Severity
from node.policy.matrix import lock_text, matrix
from node.policy.messages import message, said
from node.policy.requesters import Requester
from node.policy.starter import starter_files
from node.policy.trials import run_suites

if TYPE_CHECKING:
    from node.policy.documents import GovernedField

app = typer.Typer(no_args_is_help=True, help="Write, test, compare and prove privacy policies.")


# --- commands ---


@app.command(name="check")
def check_bundles(
    policies: PoliciesOption = DEFAULT_FOLDER,
    schema: SchemaOption = None,
    output: FormatOption = Format.TABLE,
    *,
    lang: LanguageOption,
) -> None:
    """Check documents, names, types, forms, overlaps and coverage; all errors in one run."""
    with errors_in_words(lang, output):
        checked = [check_folder(folder, schema) for folder in bundle_folders(policies)]
    failed = any(finding.severity is Severity.ERROR for one in checked for finding in one.findings)
    if output is Format.JSON:
        print_json({"ok": not failed, "bundles": [checked_json(one, lang) for one in checked]})
    else:
        for one in checked:
            print_checked(one, lang)
    exit_if(failed)


@app.command(name="test")
def run_tests(
    policies: PoliciesOption = DEFAULT_FOLDER,
    schema: SchemaOption = None,
    output: FormatOption = Format.TABLE,
    *,
    lang: LanguageOption,
) -> None:
    """Run the test suites of a bundle."""
    with errors_in_words(lang, output):
        trials = {folder: list(run_suites(bundle)) for folder, bundle in bundles_in(policies, schema)}
    failed = any(not trial.passed for found in trials.values() for trial in found)
    if output is Format.JSON:
        print_json(
            {
                "ok": not failed,
                "bundles": [
                    {"folder": str(folder), "cases": [trial_json(trial) for trial in found]}
                    for folder, found in trials.items()
                ],
            }
        )
    else:
        for folder, found in trials.items():
            print_trials(folder, found, lang)
    exit_if(failed)


@app.command()
def why(
    coordinate: Annotated[str, typer.Argument(help="A field, such as `Citizen.taxCode`.")],
    kind: Annotated[str, typer.Option("--as", help="Kind of the requester, such as `national`.")],
    purpose: Annotated[str, typer.Option("--for", help="The purpose, such as `benefit-assessment`.")],
    policies: PoliciesOption = DEFAULT_FOLDER,
    basis: Annotated[
        list[str] | None, typer.Option("--basis", help="A legal basis of the agreement; repeat it.")
    ] = None,
    area: Annotated[str | None, typer.Option("--area", help="Territory of the requester.")] = None,
    day: Annotated[str | None, typer.Option("--day", help="Day of the request; today if omitted.")] = None,
    row: Annotated[str | None, typer.Option("--row", help='Attributes of one row, as JSON: `{"age": 12}`.')] = None,
    consent: Annotated[list[str] | None, typer.Option("--consent", help="A purpose consented to; repeat it.")] = None,
    schema: SchemaOption = None,
    output: FormatOption = Format.TABLE,
    *,
    lang: LanguageOption,
) -> None:
    """Say why a field is shown, masked or denied: every rule and the clause on which it fails."""
    with errors_in_words(lang, output):
        _, bundle = one_bundle(policies, schema)
        document, field = _field(bundle, coordinate)
        requester = _requester(bundle, kind, basis, area)
        attributes = None if row is None else _row(row, document)
        require_declared(message("purpose"), [purpose], bundle.vocabulary.purposes)
        question = Question(requester, purpose, _day(day))
        found = explain(bundle, document, field, question, None if attributes is None else (attributes, consent or ()))
    if output is Format.JSON:
        print_json(explanation_json(found))
    else:
        print_explanation(found, bundle, document, lang)


@app.command(name="matrix")
def matrix_command(
    policies: PoliciesOption = DEFAULT_FOLDER,
    schema: SchemaOption = None,
    write: Annotated[  # noqa: FBT002  # a flag on the command line
        bool, typer.Option("--write", help=f"Write the matrix to each bundle's {LOCK_FILE}.")
    ] = False,
    html: Annotated[Path | None, typer.Option("--html", help="Write it as a page with colours to this file.")] = None,
    output: FormatOption = Format.TABLE,
    *,
    lang: LanguageOption,
) -> None:
    """Show who sees what; fail if matrix.lock exists and says otherwise."""
    with errors_in_words(lang, output):
        bundles = list(bundles_in(policies, schema))
    changed = [folder for folder, bundle in bundles if lock_differs(folder, bundle)]
    if write:
        for folder, bundle in bundles:
            (folder / LOCK_FILE).write_text(lock_text(bundle), encoding="utf-8")
            say(said(message("wrote {path}", path=folder / LOCK_FILE), lang))
        return
    if html is not None:
        with errors_in_words(lang, output):
            html.write_text(matrix_page(bundles, lang), encoding="utf-8")
        say(said(message("wrote {path}", path=html), lang))
    elif output is Format.JSON:
        print_json(
            {
                "ok": not changed,
                "bundles": [
                    {
                        "folder": str(folder),
                        "digest": bundle.digest,
                        "lock_matches": None if not (folder / LOCK_FILE).is_file() else folder not in changed,
                        "rows": [
                            {"type": line.type_name, "kind": line.kind, "purpose": line.purpose, "cells": line.cells}
                            for line in matrix(bundle)
                        ],
                    }
                    for folder, bundle in bundles
                ],
            }
        )
    else:
        for folder, bundle in bundles:
            print_matrix(folder, bundle, lang)
    for folder in changed:
        differs = message(
            "{path} says otherwise; if the change is wanted, run `matrix --write` and have it reviewed",
            path=folder / LOCK_FILE,
        )
        say(said(differs, lang))
    exit_if(bool(changed))


@app.command(name="explain")
def explain_rules(
    coordinate: Annotated[str | None, typer.Argument(help="A type, or a field such as `Citizen.taxCode`.")] = None,
    policies: PoliciesOption = DEFAULT_FOLDER,
    schema: SchemaOption = None,
    output: FormatOption = Format.TABLE,
    *,
    lang: LanguageOption,
) -> None:
    """Say every rule, or those about one type or field, as a sentence."""
    with errors_in_words(lang, output):
        bundles = list(bundles_in(policies, schema))
        chosen = [(folder, bundle, name) for folder, bundle in bundles for name in sorted(bundle.types)]
        if coordinate is not None:
            chosen = _about(chosen, coordinate)
    sentences = [
        {"folder": str(folder), "type": name, "rule": rule, "sentence": sentence}
        for folder, bundle, name in chosen
        for rule, sentence in sentences_of(bundle, _narrowed(bundle.types[name], coordinate), lang)
    ]
    if output is Format.JSON:
        print_json({"sentences": sentences})
        return
    for line in sentences:
        out().print(f"[bold]{line['type']}[/bold] · {line['rule']}", highlight=False)
        out().print(f"  {line['sentence']}", markup=False, highlight=False, soft_wrap=True)


@app.command(name="init")
def init_bundle(
    schema: Annotated[Path, typer.Option("--schema", help="The GraphQL schema to govern (SDL).")],
    policies: Annotated[Path, typer.Option("--policies", help="The new bundle's folder.")],
    vocabulary: Annotated[
        Path | None,
        typer.Option("--vocabulary", help="The federation's vocabulary.yaml; else the usual one."),
    ] = None,
    owner: Annotated[str, typer.Option("--owner", help="Whom to ask about the policy.")] = "privacy@member.example",
    output: FormatOption = Format.TABLE,
    *,
    lang: LanguageOption,
) -> None:
    """Write a first bundle for a schema: everything governed, nobody sees anything, comments say how to go on."""
    with errors_in_words(lang, output):
        if policies.exists():
            raise BadInputError(message("`{path}` exists already; name a new folder", path=policies))
        sdl = schema_text(schema)
        words = (vocabulary or shared_policies_folder() / VOCABULARY_FILE).read_bytes()
        found = vocabulary_of(words)
        files = starter_files(sdl, found, owner, day_in_rome(SystemClock().now()), lang)
        for path, content in {VOCABULARY_FILE: words, SCHEMA_FILE: schema.read_bytes(), **files}.items():
            (policies / path).parent.mkdir(parents=True, exist_ok=True)
            (policies / path).write_bytes(content)
    if output is Format.JSON:
        print_json({"folder": str(policies), "files": sorted(files)})
        return
    types = sum(path.startswith("types/") for path in files)
    typer.echo(said(message("{path}: types: {types}; nobody sees anything yet", path=policies, types=types), lang))
    further = message(
        "then: edit {path}/types, and run `crocevia policy check --policies {path}`",
        path=policies,
    )
    typer.echo(said(further, lang))


app.command(name="prove")(prove_bundles)
app.command(name="diff")(compare_bundles)
app.command(name="mutate")(mutate_bundles)
app.command(name="replay")(replay_log)
for signing in (
    policy_signing.officer,
    policy_signing.sign,
    policy_signing.approve,
    policy_signing.verify,
    policy_signing.publish,
):
    app.command()(signing)
app.command()(policy_signing.rollback)
for register in (policy_registers.ropa, policy_registers.dpia, policy_registers.export):
    app.command()(register)
app.command(name="import")(policy_registers.import_policy)


# --- reading what the officer typed ---


def _about(chosen: list[tuple[Path, Bundle, str]], coordinate: str) -> list[tuple[Path, Bundle, str]]:
    """Keep the documents that govern a type or a field."""
    type_name, _, field = coordinate.partition(".")
    known = [f"{name}.{one}" for _, bundle, name in chosen for one in bundle.types[name].fields]
    found = [
        (folder, bundle, name)
        for folder, bundle, name in chosen
        if name == type_name and (not field or field in bundle.types[name].fields)
    ]
    if not found:
        every = known if field else [name for _, _, name in chosen]
        raise NotFoundError(
            message(
                "`{name}` is not governed here{nearest}",
                name=coordinate,
                nearest=nearest(coordinate, every),
            )
        )
    return found


def _narrowed(document: TypeDocument, coordinate: str | None) -> TypeDocument:
    """Return the document with only the rules that concern a field."""
    field = (coordinate or "").partition(".")[2]
    if not field:
        return document
    return replace(
        document,
        fields={name: found for name, found in document.fields.items() if name == field},
        grants=tuple(grant for grant in document.grants if field in grant.see),
        prohibitions=tuple(rule for rule in document.prohibitions if rule.takes(field)),
        never_together=tuple(rule for rule in document.never_together if field in rule.fields),
    )


def _field(bundle: Bundle, coordinate: str) -> tuple[TypeDocument, GovernedField]:
    type_name, _, field_name = coordinate.partition(".")
    document = bundle.types.get(type_name)
    if document is None:
        raise NotFoundError(
            message(
                "type `{name}` has no policy here{nearest}",
                name=type_name,
                nearest=nearest(type_name, bundle.types),
            )
        )
    field = document.fields.get(field_name)
    if field is None:
        raise NotFoundError(
            message(
                "field `{name}` is not governed by `{type}`{nearest}",
                name=field_name,
                type=type_name,
                nearest=nearest(field_name, document.fields),
            )
        )
    return document, field


def _requester(bundle: Bundle, kind: str, basis: list[str] | None, area: str | None) -> Requester:
    """Without `--basis`, suppose every legal basis, so that the answer speaks of the other clauses."""
    vocabulary = bundle.vocabulary
    require_declared(message("kind"), [kind], vocabulary.kinds)
    require_declared(message("legal basis"), basis or (), vocabulary.legal_bases)
    return Requester(kind, frozenset(vocabulary.legal_bases if basis is None else basis), area)


def _row(text: str, document: TypeDocument) -> Mapping[str, object]:
    try:
        row = json.loads(text)
    except ValueError as error:
        raise BadInputError(message('`--row` is not JSON; expected a map such as `{{"age": 12}}`')) from error
    if not isinstance(row, dict):
        raise BadInputError(message('`--row` is not a map; expected something such as `{{"age": 12}}`'))
    for name in row:
        if name not in document.of_a_row:
            raise BadInputError(
                message(
                    "row attribute `{name}` is not declared{nearest}",
                    name=name,
                    nearest=nearest(name, document.of_a_row),
                )
            )
    return row


def _day(text: str | None) -> date:
    if text is None:
        return day_in_rome(SystemClock().now())
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise BadInputError(
            message("`{text}` is not a day; expected something such as `2026-11-22`", text=text)
        ) from error
