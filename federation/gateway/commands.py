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
from federation.composition.errors import CompositionError, Finding
from federation.composition.supergraph import Supergraph
from federation.contract.errors import BadInputError, ValidationError
from federation.contract.exit_codes import ExitCode
from federation.contract.graphql_request import Limits, parse_document
from federation.contract.identifiers import INTERNAL_PREFIX
from federation.contract.settings import host_and_port
from federation.gateway import app as gateway_app
from federation.gateway import open_server
from federation.gateway.documents import Others, TrustedDocuments
from federation.gateway.open_access import Believed
from federation.gateway.open_graph import OpenSettings
from federation.gateway.passing import Passing
from federation.gateway.subgraph_files import read_subgraphs, read_text
from federation.planning import explain
from federation.planning.planner import Planner, PlannerOptions, Stages

app = typer.Typer(no_args_is_help=True, help="Run the federation gateway.")


class Stage(StrEnum):
    """What `crocevia plan` prints."""

    PATHS = "paths"
    FETCHES = "fetches"
    PLAN = "plan"
    MERMAID = "mermaid"


class Printed(StrEnum):
    """What `crocevia compose` prints."""

    SDL = "sdl"
    API = "api"
    JSON = "json"


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
    label: Annotated[
        list[str] | None, typer.Option(help="Open mode: a label of progressive `@override` that is active.")
    ] = None,
    pass_header: Annotated[
        list[str] | None, typer.Option(help="Open mode: a request header that every subgraph receives too.")
    ] = None,
    documents: Annotated[
        Path | None, typer.Option(help="Open mode: trusted documents, a JSON file `{id: document}`.")
    ] = None,
    scopes_header: Annotated[
        str | None,
        typer.Option(
            help="Open mode: a header by which a proxy in front tells that a client is known, and its scopes."
        ),
    ] = None,
    cost: Annotated[
        int | None,
        typer.Option(min=1, help="Open mode: refuse what is estimated to cost more (`@cost`, `@listSize`)."),
    ] = None,
    *,
    only_documents: Annotated[bool, typer.Option(help="Open mode: run trusted documents and nothing else.")] = False,
    ignore_access_directives: Annotated[
        bool, typer.Option(help="Open mode: leave `@authenticated`, `@requiresScopes`, `@policy` to the subgraphs.")
    ] = False,
) -> None:
    """Run the gateway of a federation, or join any federation subgraphs without privacy (open mode)."""
    if [settings, supergraph, subgraphs].count(None) != 2:  # noqa: PLR2004  # exactly one of three is given
        raise BadInputError("give exactly one of `--settings`, `--supergraph` and `--subgraphs`")
    if settings is not None:
        gateway_app.serve(settings)
        return
    if only_documents and documents is None:
        raise BadInputError("`--only-documents` needs the documents: give their file with `--documents`")
    if scopes_header is not None and ignore_access_directives:
        raise BadInputError("give `--scopes-header` or `--ignore-access-directives`, not both")
    host, port = host_and_port(listen)
    others = Others.REFUSED if only_documents else Others.RUN
    trusted = TrustedDocuments() if documents is None else TrustedDocuments.parse(read_text(documents).encode(), others)
    known = OpenSettings(
        labels=frozenset(label or ()),
        documents=trusted,
        passing=Passing.of(pass_header or ()),
        believed=None if ignore_access_directives else Believed.of(scopes_header),
        cost=cost,
    )
    open_server.serve(_graph(supergraph, subgraphs), host, port, known)


def _graph(supergraph: Path | None, subgraphs: Path | None) -> Supergraph:
    """Read a supergraph, or compose one."""
    if supergraph is not None:
        return Supergraph.parse(read_text(supergraph))
    assert subgraphs is not None  # one of the two is given
    return compose(read_subgraphs(subgraphs)).supergraph


def compose_command(
    subgraphs: Annotated[Path, typer.Argument(help="A JSON file `{name: {url, sdl}}`, where `sdl` names a file.")],
    format_: Annotated[
        Printed, typer.Option("--format", help="The supergraph, what clients see, or all with findings as JSON.")
    ] = Printed.SDL,
) -> None:
    """Compose subgraph schemas into a supergraph, or say why they do not compose."""
    try:
        composed = compose(read_subgraphs(subgraphs))
    except CompositionError as error:
        if format_ is Printed.JSON:
            sys.stdout.write(json.dumps({"errors": [as_json(each) for each in error.findings], "hints": []}) + "\n")
        else:
            sys.stderr.writelines(f"{finding}\n" for finding in error.findings)
        raise typer.Exit(ExitCode.CHECK_FAILED) from error
    if format_ is Printed.JSON:
        found = {"supergraph": composed.supergraph.sdl, "api": composed.supergraph.api_sdl}
        hints = [as_json(each) for each in composed.hints]
        sys.stdout.write(json.dumps({**found, "errors": [], "hints": hints}) + "\n")
        return
    sys.stderr.writelines(f"hint {hint}\n" for hint in composed.hints)
    sys.stdout.write(composed.supergraph.sdl if format_ is Printed.SDL else composed.supergraph.api_sdl)


def as_json(finding: Finding) -> dict[str, object]:
    """Return a finding as JSON has it."""
    return {
        "code": finding.code,
        "message": finding.message,
        "subgraphs": finding.subgraphs,
        "coordinates": finding.coordinates,
    }


def plan_command(
    query: Annotated[Path, typer.Argument(help="File with a GraphQL operation.")],
    supergraph: Annotated[Path, typer.Option(help="The supergraph's SDL.")] = Path(
        ".crocevia/demo/registry/supergraph.graphql"
    ),
    subgraphs: Annotated[Path | None, typer.Option(help="Subgraphs to compose, instead of a supergraph.")] = None,
    stage: Annotated[Stage, typer.Option(help="Which stage of planning to print.")] = Stage.PLAN,
    operation: Annotated[str | None, typer.Option(help="Name of the operation, if the file holds several.")] = None,
    *,
    privacy: Annotated[bool, typer.Option(help="Plan as for nodes that decide by policy (join keys apart).")] = True,
) -> None:
    """Print how an operation is planned, stage by stage."""
    graph = _graph(None if subgraphs is not None else supergraph, subgraphs)
    document = parse_document(read_text(query), Limits())
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
