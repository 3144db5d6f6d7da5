"""What the policy commands write: tables and sentences for officers, JSON for programs.

The JSON shapes are documented in docs/policy-language.md and stay stable.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import typer
from rich.console import Console
from rich.table import Table

from node.console.policy_summaries import WORDS
from node.policy.bundle import LOCK_FILE, Bundle
from node.policy.findings import Finding, Severity
from node.policy.forms import form_text
from node.policy.matrix import lock_text, matrix
from node.policy.sentences import Language, combination_sentence, grant_sentence, prohibition_sentence

if TYPE_CHECKING:
    from node.console.policy_folders import CheckedFolder
    from node.policy.documents import TypeDocument
    from node.policy.explanation import Explanation
    from node.policy.trials import Trial


def out() -> Console:
    """Return standard output; a file or pipe is as wide as a table wants to be, so that nothing is cut."""
    return Console() if sys.stdout.isatty() else Console(width=400)


def say(text: str) -> None:
    typer.echo(text, err=True)


def print_json(value: Any) -> None:
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2))


def finding_json(finding: Finding) -> dict[str, Any]:
    return {
        "file": finding.place.file,
        "line": finding.place.line,
        "column": finding.place.column,
        "severity": str(finding.severity),
        "code": str(finding.code),
        "message": finding.message,
    }


def checked_json(checked: CheckedFolder) -> dict[str, Any]:
    return {
        "folder": str(checked.folder),
        "digest": None if checked.bundle is None else checked.bundle.digest,
        "findings": [finding_json(finding) for finding in checked.findings],
        "coverage": None
        if checked.coverage is None
        else {"served": checked.coverage.served, "missing": list(checked.coverage.missing)},
    }


def print_checked(checked: CheckedFolder, lang: Language) -> None:
    """Print the findings of a bundle, what they mean, and how much of the schema it governs."""
    console, words = out(), WORDS[lang]
    for finding in checked.findings:
        colour = "red" if finding.severity is Severity.ERROR else "yellow"
        console.print(f"[{colour}]{words.severities[finding.severity]}[/{colour}]", end=" ")
        console.print(str(finding), markup=False, highlight=False, soft_wrap=True)
        if finding.code in words.meanings:
            console.print(f"  {words.meanings[finding.code]}", markup=False, highlight=False, soft_wrap=True)
    if (coverage := checked.coverage) is not None:
        said = words.coverage.format(
            folder=checked.folder, governed=coverage.governed, served=coverage.served, percent=coverage.percent
        )
        console.print(said, markup=False, highlight=False)
    errors = sum(finding.severity is Severity.ERROR for finding in checked.findings)
    bundle = checked.bundle
    if errors or bundle is None:
        console.print(words.unusable.format(folder=checked.folder, errors=errors), markup=False, highlight=False)
        return
    said = words.usable.format(
        folder=checked.folder,
        types=len(bundle.types),
        fields=sum(len(document.fields) for document in bundle.types.values()),
        grants=sum(len(document.grants) for document in bundle.types.values()),
        warnings=len(checked.findings),
        digest=bundle.digest,
    )
    console.print(said, markup=False, highlight=False)


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
    console, words = out(), WORDS[lang]
    for trial in trials:
        if trial.passed:
            continue
        case = trial.case
        what = words.case.format(
            type=trial.suite.type_name, requester=case.requester_name, purpose=case.purpose, row=case.row_name
        )
        console.print(f"[red]{words.failed}[/red] {case.place} {what}", highlight=False, soft_wrap=True)
        for one in trial.differences:
            by = words.by.format(rule=one.rule) if one.rule else ""
            said = words.expected.format(field=one.field, expected=one.expected, decided=one.decided)
            console.print(f"  {said}{by}", highlight=False, soft_wrap=True)
    passed = sum(trial.passed for trial in trials)
    console.print(words.cases.format(folder=folder, passed=passed, cases=len(trials)), markup=False, highlight=False)


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


@dataclass(frozen=True, slots=True)
class _WhyWords:
    depends: str
    visible: str
    grant: str
    applies: str
    fails: str
    where: str
    prohibition: str
    denies: str
    never: str


_WHY: Final = {
    Language.ITALIAN: _WhyWords(
        "dipende dalla riga",
        "riga visibile dove",
        "concessione",
        "vale",
        "cade su",
        "dove",
        "divieto",
        "nega",
        "mai per questo richiedente",
    ),
    Language.ENGLISH: _WhyWords(
        "depends on the row",
        "row visible where",
        "grant",
        "applies",
        "fails on",
        "where",
        "prohibition",
        "denies",
        "never for this requester",
    ),
}


def print_explanation(found: Explanation, bundle: Bundle, document: TypeDocument, lang: Language) -> None:
    console, words, decision = out(), _WHY[lang], found.decision
    said = words.depends
    if decision is not None:
        by = f": {decision.rule}" if decision.rule else ""
        said = f"{form_text(decision.form)} ({decision.cause}{by})"
    console.print(
        f"[bold]{found.coordinate}[/bold] ({found.category}): {_plain(said)}", highlight=False, soft_wrap=True
    )
    console.print(f"{words.visible}: {found.row_visible_where}", markup=False, highlight=False, soft_wrap=True)
    said_rules = dict(sentences_of(bundle, document, lang))
    for grant in found.grants:
        mark = "[red]✗[/red]" if grant.failing else "[green]✓[/green]"
        verdict = f"{words.fails} {', '.join(grant.failing)}" if grant.failing else words.applies
        where = f" {words.where} {grant.asks}" if grant.asks and not grant.failing else ""
        line = f"{words.grant} {grant.id}: {form_text(grant.form)}, {verdict}{where}"
        console.print(f"{mark} {_plain(line)}", highlight=False, soft_wrap=True)
        console.print(f"    {said_rules[grant.id]}", markup=False, highlight=False, soft_wrap=True)
    for rule in found.prohibitions:
        mark = "[green]·[/green]" if rule.denies_where is None else "[red]![/red]"
        where = words.never if rule.denies_where is None else f"{words.where} {rule.denies_where}"
        line = f"{words.prohibition} {rule.id}: {words.denies} {where}"
        console.print(f"{mark} {_plain(line)}", highlight=False, soft_wrap=True)
        console.print(f"    {said_rules[rule.id]}", markup=False, highlight=False, soft_wrap=True)


def _plain(text: str) -> str:
    """Write square brackets where they would be read as markup."""
    return text.replace("[", "\\[")


def sentences_of(bundle: Bundle, document: TypeDocument, lang: Language) -> Iterator[tuple[str, str]]:
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


def print_matrix(folder: Path, bundle: Bundle) -> None:
    """Print who sees what; purposes for which a kind of requester sees nothing are left out."""
    rows = matrix(bundle)
    console = out()
    for name, document in sorted(bundle.types.items()):
        table = Table(title=f"{folder.name} · {name}", title_justify="left")
        table.add_column("kind")
        table.add_column("purpose")
        for field in document.fields:
            table.add_column(field)
        for line in rows:
            if line.type_name == name and any(cell != "-" for cell in line.cells.values()):
                cells = [_coloured(line.cells[field]) for field in document.fields]
                table.add_row(line.kind, line.purpose, *cells)
        console.print(table)
    console.print("* depends on the row or on a consent; what is not listed is denied", highlight=False)


def _coloured(cell: str) -> str:
    colour = _COLOURS.get(cell.rstrip("*"), "yellow")
    return f"[{colour}]{cell.replace('[', chr(92) + '[')}[/{colour}]"
