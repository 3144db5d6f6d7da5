"""What the policy commands write: tables and sentences for officers, JSON for programs.

The JSON shapes are documented in docs/policy-language.md and stay stable.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import typer
from rich.console import Console
from rich.table import Table

from federation.contract.languages import Language
from node.policy.bundle import LOCK_FILE, Bundle
from node.policy.findings import Finding, Severity
from node.policy.forms import form_text
from node.policy.matrix import lock_text, matrix
from node.policy.messages import Message, fillings_of, message, said
from node.policy.plans import Cause
from node.policy.sentences import combination_sentence, field_sentence, grant_sentence, prohibition_sentence

if TYPE_CHECKING:
    from node.console.policy_folders import CheckedFolder
    from node.policy.documents import TypeDocument
    from node.policy.explanation import Explanation, GrantVerdict
    from node.policy.matrix import MatrixRow
    from node.policy.trials import Trial


def out() -> Console:
    """Return standard output; a file or pipe is as wide as a table wants to be, so that nothing is cut."""
    return Console() if sys.stdout.isatty() else Console(width=10_000)


def say(text: str) -> None:
    typer.echo(text, err=True)


def print_json(value: Any) -> None:
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2))


def finding_json(finding: Finding, lang: Language) -> dict[str, Any]:
    return {
        "file": finding.place.file,
        "line": finding.place.line,
        "column": finding.place.column,
        "severity": str(finding.severity),
        "code": str(finding.code),
        "params": fillings_of(finding.message),
        "message": said(finding.message, lang),
    }


def finding_text(finding: Finding, lang: Language) -> str:
    return f"{finding.place}: {said(finding.message, lang)} [{finding.code}]"


def checked_json(checked: CheckedFolder, lang: Language) -> dict[str, Any]:
    return {
        "folder": str(checked.folder),
        "digest": None if checked.bundle is None else checked.bundle.digest,
        "findings": [finding_json(finding, lang) for finding in checked.findings],
        "coverage": None
        if checked.coverage is None
        else {"served": checked.coverage.served, "missing": list(checked.coverage.missing)},
    }


_SEVERITIES: Final = {Severity.ERROR: message("error"), Severity.WARNING: message("warning")}
_COLOURS_OF: Final = {Severity.ERROR: "red", Severity.WARNING: "yellow"}


def print_checked(checked: CheckedFolder, lang: Language) -> None:
    """Print the findings of a bundle and how much of the schema it governs."""
    console = out()
    for finding in checked.findings:
        colour = _COLOURS_OF[finding.severity]
        console.print(f"[{colour}]{said(_SEVERITIES[finding.severity], lang)}[/{colour}]", end=" ")
        print_line(console, finding_text(finding, lang))
    if (coverage := checked.coverage) is not None:
        covered = message(
            "{folder}: {governed} of {served} served fields have a policy ({percent} %)",
            folder=checked.folder,
            governed=coverage.governed,
            served=coverage.served,
            percent=coverage.percent,
        )
        print_line(console, said(covered, lang))
    elif checked.bundle is not None:
        unchecked = message(
            "{folder}: no schema is there: whether every field has a policy was not checked; name one with `--schema`",
            folder=checked.folder,
        )
        print_line(console, said(unchecked, lang))
    print_line(console, said(_outcome(checked), lang))


def _outcome(checked: CheckedFolder) -> Message:
    errors = sum(finding.severity is Severity.ERROR for finding in checked.findings)
    bundle = checked.bundle
    if errors or bundle is None:
        return message("{folder}: errors: {errors}; the bundle cannot be used", folder=checked.folder, errors=errors)
    return message(
        "{folder}: no errors; types: {types}, fields: {fields}, grants: {grants}, warnings: {warnings} ({digest})",
        folder=checked.folder,
        types=len(bundle.types),
        fields=sum(len(document.fields) for document in bundle.types.values()),
        grants=sum(len(document.grants) for document in bundle.types.values()),
        warnings=len(checked.findings),
        digest=bundle.digest,
    )


def trial_json(trial: Trial) -> dict[str, Any]:
    case = trial.case
    return {
        "file": case.place.file,
        "line": case.place.line,
        "type": trial.suite.type_name,
        "as": case.requester_name,
        "for": case.purpose,
        "row": case.row_name,
        "passed": trial.passed,
        "differences": [
            {"field": one.field, "expected": one.expected, "decided": one.decided, "rule": one.rule}
            for one in trial.differences
        ],
    }


def print_trials(folder: Path, trials: list[Trial], lang: Language) -> None:
    """Print every case that fails, with what was decided instead, and how many pass."""
    console = out()
    for trial in trials:
        if trial.passed:
            continue
        case = trial.case
        what = message(
            "{type}: {requester} for {purpose}, row {row}",
            type=trial.suite.type_name,
            requester=case.requester_name,
            purpose=case.purpose,
            row=case.row_name,
        )
        console.print(f"[red]{said(message('failed'), lang)}[/red]", end=" ")
        print_line(console, f"{case.place} {said(what, lang)}")
        for one in trial.differences:
            found = message(
                "{field}: expected {expected}, decided {decided}{by}",
                field=one.field,
                expected=one.expected,
                decided=one.decided,
                by=message(" by `{rule}`", rule=one.rule) if one.rule else "",
            )
            print_line(console, f"  {said(found, lang)}")
    passed = sum(trial.passed for trial in trials)
    summary = message("{folder}: {passed} of {cases} cases pass", folder=folder, passed=passed, cases=len(trials))
    print_line(console, said(summary, lang))


def explanation_json(found: Explanation) -> dict[str, Any]:
    decision = found.decision
    return {
        "coordinate": found.coordinate,
        "category": found.category,
        "decision": None
        if decision is None
        else {"form": form_text(decision.form), "cause": str(decision.cause), "rule": decision.rule},
        "rowVisibleWhere": found.row_visible_where,
        "grants": [
            {
                "id": grant.id,
                "form": form_text(grant.form),
                "law": grant.law,
                "retain": grant.retain,
                "failing": [str(clause) for clause in grant.failing],
                "asks": grant.asks,
            }
            for grant in found.grants
        ],
        "prohibitions": [
            {"id": rule.id, "law": rule.law, "hidesRow": rule.hides_row, "deniesWhere": rule.denies_where}
            for rule in found.prohibitions
        ],
    }


_CAUSES: Final = {
    Cause.GRANTED: message("granted"),
    Cause.NO_GRANT: message("no grant"),
    Cause.PROHIBITED: message("prohibited"),
    Cause.NOT_THIS_ROW: message("no grant for this row"),
    Cause.ROW_HIDDEN: message("row hidden"),
}


def print_explanation(found: Explanation, bundle: Bundle, document: TypeDocument, lang: Language) -> None:
    """Print what is decided for a field, and of every rule whether it applies, and on which clause it fails."""
    console, decision = out(), found.decision
    decided = said(message("depends on the row"), lang)
    if decision is not None:
        by = f": {decision.rule}" if decision.rule else ""
        decided = f"{form_text(decision.form)} ({said(_CAUSES[decision.cause], lang)}{by})"
    console.print(f"[bold]{found.coordinate}[/bold]", end=" ")
    print_line(console, f"({found.category}): {decided}")
    print_line(console, said(message("row visible where: {condition}", condition=found.row_visible_where), lang))
    sentences = dict(sentences_of(bundle, document, lang))
    for grant in found.grants:
        console.print("[red]✗[/red]" if grant.failing else "[green]✓[/green]", end=" ")
        print_line(console, said(_grant_line(grant), lang))
        print_line(console, f"    {sentences[grant.id]}")
    for rule in found.prohibitions:
        console.print("[green]·[/green]" if rule.denies_where is None else "[red]![/red]", end=" ")
        where = rule.denies_where
        line = (
            message("prohibition {id}: never denies this requester", id=rule.id)
            if where is None
            else message("prohibition {id}: denies where {condition}", id=rule.id, condition=where)
        )
        print_line(console, said(line, lang))
        print_line(console, f"    {sentences[rule.id]}")


def _grant_line(grant: GrantVerdict) -> Message:
    form = form_text(grant.form)
    if grant.failing:
        return message(
            "grant {id}: {form}, fails on {clauses}", id=grant.id, form=form, clauses=", ".join(grant.failing)
        )
    if grant.asks:
        return message("grant {id}: {form}, applies where {condition}", id=grant.id, form=form, condition=grant.asks)
    return message("grant {id}: {form}, applies", id=grant.id, form=form)


def print_line(console: Console, text: str) -> None:
    """Print a line as it is: its brackets are no markup, and a terminal folds it, not we."""
    console.print(text, markup=False, highlight=False, soft_wrap=True)


def sentences_of(bundle: Bundle, document: TypeDocument, lang: Language) -> Iterator[tuple[str, str]]:
    for field in document.fields.values():
        if field.exact_lookup or field.computed_from:
            yield field.name, field_sentence(field, lang)
    for grant in document.grants:
        yield grant.id, grant_sentence(grant, bundle.vocabulary, lang)
    for rule in document.prohibitions:
        yield rule.id, prohibition_sentence(rule, lang)
    for combination in document.never_together:
        yield combination.id, combination_sentence(combination, lang)


def lock_differs(folder: Path, bundle: Bundle) -> bool:
    path = folder / LOCK_FILE
    return path.is_file() and path.read_text(encoding="utf-8") != lock_text(bundle)


_COLOURS: Final = {"-": "dim", "clear": "green"}


def print_matrix(folder: Path, bundle: Bundle, lang: Language) -> None:
    """Print who sees what; purposes for which a kind of requester sees nothing are left out.

    A terminal that is too narrow for a column per field gets a line per field instead.
    """
    rows = [line for line in matrix(bundle) if any(cell != "-" for cell in line.cells.values())]
    console = out()
    for name, document in sorted(bundle.types.items()):
        lines = [line for line in rows if line.type_name == name]
        title = f"{folder.name} · {name}"
        wide = _wide_table(title, lines, list(document.fields), lang)
        fits = wide.__rich_measure__(console, console.options.update(max_width=10_000)).maximum <= console.width
        console.print(wide if fits else _narrow_table(title, lines, lang))
    note = message("* depends on the row or on a consent; what is not listed is denied")
    print_line(console, said(note, lang))


def _wide_table(title: str, lines: list[MatrixRow], fields: list[str], lang: Language) -> Table:
    table = _table(title, "kind", "purpose", lang=lang)
    for field in fields:
        table.add_column(field, no_wrap=True)
    for line in lines:
        table.add_row(line.kind, line.purpose, *(_coloured(line.cells[field]) for field in fields))
    return table


def _narrow_table(title: str, lines: list[MatrixRow], lang: Language) -> Table:
    table = _table(title, "kind", "purpose", "field", "form", lang=lang)
    for line in lines:
        shown = [(field, cell) for field, cell in line.cells.items() if cell != "-"]
        for position, (field, cell) in enumerate(shown):
            who = (line.kind, line.purpose) if position == 0 else ("", "")
            table.add_row(*who, field, _coloured(cell), end_section=position == len(shown) - 1)
    return table


_HEADS: Final = {
    "kind": message("kind"),
    "purpose": message("purpose"),
    "field": message("field"),
    "form": message("form"),
}


def _table(title: str, *columns: str, lang: Language) -> Table:
    table = Table(title=title, title_justify="left")
    for column in columns:
        table.add_column(said(_HEADS[column], lang), overflow="fold")
    return table


def _coloured(cell: str) -> str:
    colour = _COLOURS.get(cell.rstrip("*"), "yellow")
    return f"[{colour}]{cell.replace('[', chr(92) + '[')}[/{colour}]"
