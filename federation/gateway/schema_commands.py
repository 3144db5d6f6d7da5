"""`crocevia schema diff` and `crocevia schema check`: what a change of schemas does to clients."""

from __future__ import annotations

import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from graphql import GraphQLError, GraphQLSchema, build_schema, validate_schema

from federation.composition.compose import compose
from federation.composition.diff import Change, Severity, schema_changes
from federation.composition.errors import CompositionError, Finding
from federation.composition.supergraph import Supergraph
from federation.contract.errors import BadInputError
from federation.contract.exit_codes import ExitCode
from federation.gateway.commands import as_json
from federation.gateway.subgraph_files import read_subgraphs, read_text
from federation.gateway.usage import read_usage


class Format(StrEnum):
    """How changes are printed."""

    TEXT = "text"
    JSON = "json"


UsageOption = Annotated[
    Path | None,
    typer.Option(help='What clients asked for, one JSON a line: `{"operation": …}` or `{"coordinate": "Type.field"}`.'),
]
FormatOption = Annotated[Format, typer.Option("--format", help="`text` or `json`.")]


def diff_command(
    old: Annotated[Path, typer.Argument(help="A supergraph, or an API schema as SDL.")],
    new: Annotated[Path, typer.Argument(help="The same, as it is to be.")],
    usage: UsageOption = None,
    format_: FormatOption = Format.TEXT,
) -> None:
    """Say what changes for clients between two schemas: breaking, dangerous, safe. Exits with 1 if something breaks."""
    before = _schema(old)
    changes = _changes(before, _schema(new), usage)
    _print([], [], changes, format_)
    raise typer.Exit(_verdict(changes))


def check_command(
    subgraphs: Annotated[Path, typer.Argument(help="A JSON file `{name: {url, sdl}}`, as for `crocevia compose`.")],
    against: Annotated[
        Path | None,
        typer.Option(help="The published supergraph or API schema, to compare with what is composed."),
    ] = None,
    usage: UsageOption = None,
    format_: FormatOption = Format.TEXT,
) -> None:
    """Compose subgraphs and compare with what is published. Exits with 1 if they do not compose or something breaks."""
    try:
        composed = compose(read_subgraphs(subgraphs))
    except CompositionError as error:
        _print(error.findings, [], (), format_)
        raise typer.Exit(ExitCode.CHECK_FAILED) from error
    changes = () if against is None else _changes(_schema(against), composed.supergraph.api_schema, usage)
    _print([], composed.hints, changes, format_)
    raise typer.Exit(_verdict(changes))


def _changes(old: GraphQLSchema, new: GraphQLSchema, usage: Path | None) -> tuple[Change, ...]:
    used = None if usage is None else read_usage(read_text(usage), str(usage), old)
    return schema_changes(old, new, used)


def _verdict(changes: tuple[Change, ...]) -> ExitCode:
    breaks = any(change.severity is Severity.BREAKING for change in changes)
    return ExitCode.CHECK_FAILED if breaks else ExitCode.OK


def _schema(path: Path) -> GraphQLSchema:
    """Read a supergraph as clients see it, or a schema as it stands."""
    text = read_text(path)
    if "join__Graph" in text:
        return Supergraph.parse(text).api_schema
    try:
        schema = build_schema(text)
        errors = validate_schema(schema)
    except (GraphQLError, TypeError) as error:
        raise BadInputError(f"`{path}` is no GraphQL schema: {error}") from error
    if errors:
        raise BadInputError(f"`{path}` is no GraphQL schema: {errors[0].message}")
    return schema


def _print(
    errors: tuple[Finding, ...] | list[Finding],
    hints: tuple[Finding, ...] | list[Finding],
    changes: tuple[Change, ...],
    format_: Format,
) -> None:
    if format_ is Format.JSON:
        found: dict[str, Any] = {
            "errors": [as_json(each) for each in errors],
            "hints": [as_json(each) for each in hints],
            "changes": [_change(each) for each in changes],
        }
        sys.stdout.write(json.dumps(found) + "\n")
        return
    sys.stderr.writelines(f"{finding}\n" for finding in errors)
    sys.stderr.writelines(f"hint {hint}\n" for hint in hints)
    sys.stdout.writelines(f"{change}\n" for change in changes)
    if not errors:
        counts = (f"{sum(each.severity is severity for each in changes)} {severity}" for severity in Severity)
        sys.stdout.write(f"{', '.join(counts)}\n")


def _change(change: Change) -> dict[str, object]:
    return {
        "severity": change.severity,
        "code": change.code,
        "coordinate": change.coordinate,
        "message": change.message,
        "safeByUsage": change.unused,
        "touches": None if change.touches is None else sorted(change.touches),
    }
