"""`crocevia node …`: what a member does to bring its own database into the federation.

`init` proposes a mapping and a policy that denies everything, `doctor` holds a mapping against the live database, `try`
asks it a question under its policy before there is any federation. Exit codes: 0 all well, 1 the doctor found an error,
2 wrong usage or a file that cannot be used, 5 the database does not answer.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar
from urllib.parse import urlsplit

import typer

from federation.contract.clock import SystemClock, day_in_rome
from federation.contract.errors import BadInputError, ConfigurationError
from federation.contract.exit_codes import ExitCode
from federation.contract.identifiers import member_id
from federation.serving.limits import ClientLimits
from federation.serving.server import run_server
from node.console.node_output import finding_json, print_answer, print_findings
from node.console.policy_folders import shared_policies_folder
from node.console.policy_options import Format, FormatOption, errors_in_words
from node.console.policy_output import print_json, say
from node.console.starter_policy import attribute_types
from node.console.trying import Trying, as_application, open_trial
from node.data.database import Database, open_database
from node.data.diagnoses import Severity
from node.data.doctor import doctor
from node.data.mapping import DatabaseSettings
from node.data.mapping import Mapping as NodeMapping
from node.data.mapping_file import read_mapping
from node.data.proposal import propose
from node.data.roles import role_statements
from node.data.written import MappingError
from node.policy.bundle import VOCABULARY_FILE, vocabulary_of
from node.policy.starter import starter_files
from node.subgraph.schema import NodeSchema
from node.vocabulary.schema import full_schema

app = typer.Typer(no_args_is_help=True, help="Run and inspect one administration's node.")

SQLITE_PREFIX: Final = "sqlite:///"
_TIMEOUT: Final = 30
"""Seconds for one statement while a whole database is looked at."""

DatabaseOption = Annotated[
    str | None,
    typer.Option("--database", help="`sqlite:///FILE` or `postgresql://USER@HOST/NAME`; else the mapping's own."),
]
MappingOption = Annotated[Path, typer.Option("--mapping", help="The mapping, node.yaml.")]
DEFAULT_MAPPING: Final = Path("node.yaml")

_Result = TypeVar("_Result")


@app.command(name="init")
def init_node(
    database: Annotated[str, typer.Option(help="`sqlite:///FILE` or `postgresql://USER@HOST/NAME`; only read.")],
    member: Annotated[str, typer.Option(help="The administration's code in the federation.")] = "my_office",
    schema: Annotated[str | None, typer.Option(help="PostgreSQL's schema; else the role's search path.")] = None,
    out: Annotated[Path, typer.Option(help="The mapping to write.")] = DEFAULT_MAPPING,
    policies: Annotated[Path, typer.Option(help="The folder for a first policy, which denies everything.")] = Path(
        "policies"
    ),
    output: FormatOption = Format.TABLE,
    *,
    force: Annotated[bool, typer.Option("--force", help="Overwrite a mapping and policy that are there.")] = False,
) -> None:
    """Propose a mapping for an existing database, with a confidence for each line, and a policy that denies all."""
    for path in (out, policies):
        if path.exists() and not force:
            raise BadInputError(f"`{path}` exists; name another with --out and --policies, or add --force")
    code = member_id(member)
    settings = database_settings(database, schema)
    text = _on(settings, Path(), lambda found: propose(found, full_schema(), code, _seen_from(out, database), schema))
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(text, encoding="utf-8")
    mapping = NodeMapping.parse(text, out.name)
    day = day_in_rome(SystemClock().now())
    vocabulary = (shared_policies_folder() / VOCABULARY_FILE).read_bytes()
    sdl, owner = NodeSchema.build(full_schema(), mapping).published_sdl, f"privacy@{code}.example"
    bundle = starter_files(sdl, vocabulary_of(vocabulary), owner, day, attributes=attribute_types(mapping))
    for name, content in {VOCABULARY_FILE: vocabulary, **bundle}.items():
        (policies / name).parent.mkdir(parents=True, exist_ok=True)
        (policies / name).write_bytes(content)
    types = sorted({source.type_name for source in mapping.sources.values()})
    if output is Format.JSON:
        print_json({"mapping": str(out), "policies": str(policies), "types": types})
        return
    typer.echo(f"{out}: {len(types)} types recognised: {', '.join(types)}; edit it, the less sure lines first")
    typer.echo(f"{policies}: nobody sees anything yet; each file says how a first grant looks")
    typer.echo(f"then: crocevia node doctor --mapping {out}")


@app.command(name="doctor")
def examine(
    mapping: MappingOption = DEFAULT_MAPPING,
    database: DatabaseOption = None,
    output: FormatOption = Format.TABLE,
) -> None:
    """Hold a mapping against the live database: what would fail, be slow, or be unreadable, and the way out."""
    try:
        found = read_mapping(mapping)
        NodeSchema.build(full_schema(), found)
    except MappingError as error:
        if output is Format.JSON:
            print_json({"ok": False, "findings": [{"severity": "error", "code": error.code, "message": error.message}]})
        else:
            say(f"{error.message} [{error.code}]")
        raise typer.Exit(ExitCode.CHECK_FAILED) from error
    day = day_in_rome(SystemClock().now())
    settings, base = chosen_database(found, mapping, database)
    findings = _on(settings, base, lambda opened: doctor(replace(found, database=settings), opened, day))
    failed = any(finding.severity is Severity.ERROR for finding in findings)
    if output is Format.JSON:
        print_json({"ok": not failed, "findings": [finding_json(finding) for finding in findings]})
    else:
        print_findings(findings, str(mapping), sum(1 for each in found.sources.values() if each.table))
    raise typer.Exit(ExitCode.CHECK_FAILED if failed else ExitCode.OK)


@app.command(name="roles")
def print_roles(
    mapping: MappingOption = DEFAULT_MAPPING,
    name: Annotated[str, typer.Option("--name", help="The database's name on its server.")] = "register",
    row_security: Annotated[  # noqa: FBT002  # a switch of the command line
        bool, typer.Option("--row-security", help="Also let PostgreSQL hide the rows that `only` leaves out.")
    ] = False,
) -> None:
    """Print the SQL of a PostgreSQL role that reads what the mapping names, and nothing else: read it, then run it."""
    with errors_in_words():
        for statement in role_statements(read_mapping(mapping), name, row_security=row_security):
            typer.echo(statement)


@app.command(name="try")
def try_node(
    query: Annotated[
        Path | None, typer.Argument(help="A file with a GraphQL query, `-` for standard input; not with --listen.")
    ] = None,
    *,
    kind: Annotated[str, typer.Option("--as", help="Kind of the consumer, such as `national`.")],
    purpose: Annotated[str, typer.Option("--for", help="The purpose, such as `benefit-assessment`.")],
    basis: Annotated[
        list[str] | None, typer.Option("--basis", help="A legal basis of the agreement; repeat it.")
    ] = None,
    area: Annotated[str | None, typer.Option("--area", help="Territory of the consumer.")] = None,
    variables: Annotated[str | None, typer.Option("--variables", help="The query's variables, as JSON.")] = None,
    mapping: MappingOption = DEFAULT_MAPPING,
    database: DatabaseOption = None,
    policies: Annotated[Path, typer.Option("--policies", help="The bundle's folder.")] = Path("policies"),
    listen: Annotated[
        str | None, typer.Option("--listen", help="Answer GraphQL over HTTP at this address instead, on this machine.")
    ] = None,
    output: FormatOption = Format.TABLE,
) -> None:
    """Ask your own node a question under its policy, without a federation; nothing is signed or recorded."""
    found = read_mapping(mapping)
    settings, base = chosen_database(found, mapping, database)
    with errors_in_words():
        asking = Trying.checked(policies, replace(found, database=settings), base, kind, purpose, basis or (), area)
    if listen is not None:
        say(f"answering {kind} for {purpose} at http://{_local(listen)}/graphql, for tests only; Ctrl-C stops it")
        run_server(lambda: as_application(asking), listen, ClientLimits())
        return
    if query is None:
        raise BadInputError("name a file with a query, or `--listen 127.0.0.1:8410`")
    text = typer.get_text_stream("stdin").read() if str(query) == "-" else _text_of(query)

    async def ask() -> Any:
        async with open_trial(asking) as trial:
            return await trial.ask(text, variables)

    answer = asyncio.run(ask())
    print_answer(answer, output)


# --- small parts ------------------------------------------------------------------------------------------------------


def _on(settings: DatabaseSettings, base: Path, ask: Callable[[Database], Coroutine[Any, Any, _Result]]) -> _Result:
    """Run something on a database, and give its connections up."""

    async def asked() -> _Result:
        database = open_database(settings, base)
        try:
            return await ask(database)
        finally:
            await database.close()

    return asyncio.run(asked())


def chosen_database(mapping: NodeMapping, file: Path, url: str | None) -> tuple[DatabaseSettings, Path]:
    """Return the database to ask and the folder its path begins at: the command line's, else the mapping's."""
    if url is None:
        return mapping.database, file.parent
    return replace(database_settings(url, mapping.database.schema), schema=mapping.database.schema), Path()


def database_settings(url: str, schema: str | None) -> DatabaseSettings:
    parts = urlsplit(url)
    if parts.scheme not in {"sqlite", "postgresql"}:
        raise BadInputError("--database needs an address that begins with `sqlite:///` or `postgresql://`")
    if parts.password:
        raise BadInputError(
            "--database holds a password, which shells remember: put it into PGPASSWORD or the file PGPASSFILE"
        )
    return DatabaseSettings(url, schema, _TIMEOUT)


def _seen_from(out: Path, url: str) -> str:
    """Return a database's address as the mapping must write it: a file's path begins at the mapping's folder."""
    if not url.startswith(SQLITE_PREFIX):
        return url
    file = Path(url.removeprefix(SQLITE_PREFIX))
    return url if file.is_absolute() else SQLITE_PREFIX + os.path.relpath(file, out.parent)


def _local(listen: str) -> str:
    host, _, port = listen.rpartition(":")
    if host not in {"127.0.0.1", "localhost", "[::1]"} or not port.isdigit():
        raise ConfigurationError("`--listen` must be an address of this machine only, such as 127.0.0.1:8410")
    return listen


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise BadInputError(f"query file `{path}` does not exist; `-` reads standard input") from error
