"""What the node commands write: findings and answers for people, JSON for programs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import typer

from federation.contract.decisions import FieldDecision
from node.console.policy_options import Format
from node.console.policy_output import out, print_json
from node.data.answer import Answer
from node.data.diagnoses import Finding, Severity


def finding_json(finding: Finding) -> dict[str, Any]:
    """Return a finding as programs read it."""
    return {
        "line": finding.line,
        "severity": str(finding.severity),
        "code": str(finding.code),
        "message": finding.message,
    }


def print_findings(findings: Sequence[Finding], file: str, tables: int) -> None:
    """Print one line for each finding, and how many there are."""
    console = out()
    for finding in findings:
        colour = "red" if finding.severity is Severity.ERROR else "yellow"
        console.print(finding.text(file), style=colour, markup=False, highlight=False, soft_wrap=True)
    errors = sum(finding.severity is Severity.ERROR for finding in findings)
    counts = (_counted(errors, "error"), _counted(len(findings) - errors, "warning"))
    console.print(f"{file}: {_counted(tables, 'table')} checked, {', '.join(counts)}", highlight=False)


def _counted(number: int, noun: str) -> str:
    return f"{number or 'no'} {noun}{'' if number == 1 else 's'}"


def print_answer(answer: Answer, output: Format) -> None:
    """Print an answer, then what was decided about each field."""
    # The data plane hands some parts over as JSON text already: one pass makes all of it values.
    content = msgspec.json.decode(msgspec.json.encode({"data": answer.data, "errors": answer.errors}))
    if output is Format.JSON:
        print_json({**content, "decisions": msgspec.to_builtins(answer.decisions), "subjects": len(answer.subjects)})
        return
    print_json(content if answer.errors else {"data": content["data"]})
    for decision in answer.decisions:
        typer.echo(decision_text(decision), err=True)


def decision_text(decision: FieldDecision) -> str:
    """Return what was decided about one coordinate, on one line."""
    by = f", by {', '.join(decision.grants)}" if decision.grants else ""
    return f"{decision.coordinate}: {decision.form}{by}{', if the row allows it' if decision.conditional else ''}"
