"""`crocevia gateway serve`, `crocevia compose` and `crocevia plan`: the engine from the command line."""

from __future__ import annotations

import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from graphql import validate

from federation.composition.compose import compose
from federation.composition.errors import CompositionError
from federation.composition.subgraph import Subgraph
from federation.composition.supergraph import Supergraph
from federation.contract.errors import BadInputError, NotFoundError, ValidationError
from federation.contract.exit_codes import ExitCode
from federation.contract.graphql_request import Limits, parse_document
from federation.contract.identifiers import INTERNAL_PREFIX
from federation.contract.settings import host_and_port
from federation.gateway import app as gateway_app
from federation.gateway import open_server
from federation.gateway.open_graph import OpenSettings
from federation.planning import explain
from federation.planning.planner import Planner, PlannerOptions, Stages

app = typer.Typer(no_args_is_help=True, help="Run the federation gateway.")


class Stage(StrEnum):
    """What `crocevia plan` prints."""

    PATHS = "paths"
    FETCHES = "fetches"
    PLAN = "plan"
    MERMAID = "mermaid"


@app.command(name="serve")
def serve(
    settings: Annotated[Path | None, typer.Option(help="Settings of a federation's gateway (TOML).")] = None,
    supergraph: Annotated[
        Path | None, typer.Option(help="Open mode: a supergraph file whose subgraphs name their addresses.")
    ] = None,
    subgraphs: Annotated[
        Path | None, typer.Option(help="Open mode: a JSON file `{name: {url, sdl}}`, where `sdl` names a file.")
    ] = None,
    listen: Annotated[str, typer.Option(help="Open mode: `host:port` to listen on.")] = "127.0.0.1:4000",
) -> None:
    """Run the gateway of a federation, or join any federation subgraphs without privacy (open mode)."""
    if [settings, supergraph, subgraphs].count(None) != 2:  # noqa: PLR2004  # exactly one of three is given
        raise BadInputError("give exactly one of `--settings`, `--supergraph` and `--subgraphs`")
    if settings is not None:
        gateway_app.serve(settings)
        return
    host, port = host_and_port(listen)
    graph = Supergraph.parse(_read(supergraph)) if supergraph else compose(_subgraphs(subgraphs)).supergraph
    open_server.serve(graph, host, port, OpenSettings())


def compose_command(
    subgraphs: Annotated[Path, typer.Argument(help="A JSON file `{name: {url, sdl}}`, where `sdl` names a file.")],
    format_: Annotated[str, typer.Option("--format", help="`sdl` or `json`.")] = "sdl",
) -> None:
    """Compose subgraph schemas into a supergraph, or say why they do not compose."""
    try:
        composed = compose(_subgraphs(subgraphs))
    except CompositionError as error:
        for finding in error.findings:
            sys.stderr.write(f"{finding}\n")
        raise typer.Exit(ExitCode.CHECK_FAILED) from error
    for hint in composed.hints:
        sys.stderr.write(f"hint {hint}\n")
    if format_ == "json":
        sys.stdout.write(json.dumps({"supergraph": composed.supergraph.sdl, "api": composed.supergraph.api_sdl}) + "\n")
    else:
        sys.stdout.write(composed.supergraph.sdl)


def plan_command(
    query: Annotated[Path, typer.Argument(help="File with a GraphQL operation.")],
    supergraph: Annotated[Path, typer.Option(help="The supergraph's SDL.")] = Path(
        ".crocevia/demo/registry/supergraph.graphql"
    ),
    stage: Annotated[Stage, typer.Option(help="Which stage of planning to print.")] = Stage.PLAN,
    operation: Annotated[str | None, typer.Option(help="Name of the operation, if the file holds several.")] = None,
    *,
    privacy: Annotated[bool, typer.Option(help="Plan as for nodes that decide by policy (join keys apart).")] = True,
) -> None:
    """Print how an operation is planned, stage by stage."""
    graph = Supergraph.parse(_read(supergraph))
    document = parse_document(_read(query), Limits())
    errors = validate(graph.api_schema, document)
    if errors:
        raise ValidationError(f"operation does not fit the schema: {errors[0].message}")
    stages = Planner(graph, PlannerOptions(internal_prefix=INTERNAL_PREFIX if privacy else None)).stages(
        document, operation
    )
    sys.stdout.write(_printed(stages, stage) + "\n")


def _printed(stages: Stages, stage: Stage) -> str:
    match stage:
        case Stage.PATHS:
            return explain.print_paths(stages)
        case Stage.FETCHES:
            return explain.print_fetches(stages)
        case Stage.PLAN:
            return explain.explain(stages.plan)
        case Stage.MERMAID:
            return explain.mermaid(stages.plan)


def _subgraphs(path: Path | None) -> list[Subgraph]:
    """Read the list of subgraphs; files are named relative to it."""
    if path is None:
        raise BadInputError("give a file of subgraphs")
    try:
        listed = json.loads(_read(path))
        found = [Subgraph(name, each.get("url", ""), _read(path.parent / each["sdl"])) for name, each in listed.items()]
    except (json.JSONDecodeError, AttributeError, KeyError, TypeError) as error:
        raise BadInputError(f"`{path}` must be JSON of the form {{name: {{url, sdl}}}}") from error
    if not found:
        raise BadInputError(f"`{path}` names no subgraphs")
    return found


def _read(path: Path | None) -> str:
    try:
        return "" if path is None else path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise NotFoundError(f"`{path}` does not exist") from error
    except (OSError, UnicodeDecodeError) as error:
        raise BadInputError(f"`{path}` cannot be read as UTF-8 text") from error
