"""The `crocevia` command: names every command, and imports only what the one that was asked for needs.

This is the one module that knows both sides of the house: everything else is either a node's or the federation's.
"""

from __future__ import annotations

import errno
import logging
import os
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from typer.core import TyperGroup
from typing_extensions import override

from federation.contract.errors import BadInputError, ConfigurationError, CroceviaError
from federation.contract.exit_codes import exit_code
from federation.contract.languages import LANGUAGE_VARIABLE, Language, asked_language, language_apart

Commands = typer.Typer | Callable[..., None]
"""A group of commands, or the function of one."""

SettingsOption = Annotated[Path, typer.Option("--settings", help="The process's settings file (TOML).")]


class OnDemand(TyperGroup):
    """Commands whose registered functions import and return what is really run, once somebody runs it.

    What all commands need together takes seconds to import, and an officer waits for it at each of them. Help and
    completion show the names and sentences that stand here; a test holds them against the real ones.
    """

    @override
    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        name, named, rest = super().resolve_command(ctx, args)
        if name is None or named is None or named.callback is None:
            return name, named, rest
        return name, imported(name, named.callback), rest


def imported(name: str, find: Callable[[], Commands]) -> Any:
    """Return the command that a function of this module finds."""
    found = find()
    if isinstance(found, typer.Typer):
        group = typer.main.get_group(found)
        group.name = name
        return group
    alone = typer.Typer(add_completion=False)
    alone.command(name)(found)
    return typer.main.get_command(alone)


app = typer.Typer(
    name="crocevia",
    cls=OnDemand,
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    help="Inter-agency data sharing with privacy enforced per field.",
    epilog="`--lang it` or `--lang en` may stand anywhere in a command.",
)


@app.command("query", help="Ask the federation as one of its members, for one purpose.")
def _query() -> Commands:
    from federation.consumer.commands import query

    return query


@app.command("fields", help="Show what a member may see for a purpose, by which rules, or why a field is denied to it.")
def _fields() -> Commands:
    from federation.consumer.fields_command import fields

    return fields


@app.command("report", help="Show a citizen who looked at what, when, why and by which law, in every node.")
def _report() -> Commands:
    from federation.consumer.commands import report

    return report


@app.command(
    "changes", help="Take in signals of change: who and what changed, never how; each at least once, in order."
)
def _changes() -> Commands:
    from federation.consumer.changes_command import changes

    return changes


@app.command(
    "changed", help="Tell of what the member's own programs changed in the register, so that subscribers learn of it."
)
def _changed() -> Commands:
    from node.server.db_commands import changed

    return changed


@app.command(
    "outbox",
    help="Print the events of the node's outbox, one JSON object a line, in order; `--after` says what was taken in.",
)
def _outbox() -> Commands:
    from node.server.db_commands import outbox

    return outbox


@app.command(
    "import", help="Bring rows into a register's table; interrupted, it goes on where it was. Nothing is overwritten."
)
def _import() -> Commands:
    from node.server.import_command import import_rows

    return import_rows


@app.command(
    "export",
    help="Write a published list into a file as one consumer may see it; what the policy denies is not in it.",
)
def _export() -> Commands:
    from node.server.export_command import export_list

    return export_list


@app.command(
    "verify",
    help="Verify the evidence of one answer: that nodes recorded it, and that nobody altered a value on the way.",
)
def _verify() -> Commands:
    from federation.consumer.evidence_commands import verify

    return verify


@app.command("compose", help="Compose subgraph schemas into a supergraph, or say why they do not compose.")
def _compose() -> Commands:
    from federation.gateway.commands import compose_command

    return compose_command


@app.command("plan", help="Print how an operation is planned, stage by stage.")
def _plan() -> Commands:
    from federation.gateway.commands import plan_command

    return plan_command


@app.command("demo", help="Start a demo federation, or only make its registers.")
@cache
def _demo() -> Commands:
    from federation.demo.commands import demo_commands
    from node.demo.side import DemoMembers

    return demo_commands(DemoMembers())


@app.command("node", help="Run and inspect one administration's node.")
@cache
def _node() -> Commands:
    from node.console.node_commands import app as node
    from node.server.app import serve
    from node.server.enrol_command import enrol
    from node.server.join_command import join
    from node.server.publish_command import publish
    from node.server.status_command import status

    def serve_node(settings: SettingsOption) -> None:
        """Run a node until it is told to stop."""
        serve(settings)

    node.command(name="serve")(serve_node)
    node.command(name="status")(status)
    node.command(name="join")(join)
    node.command(name="enrol")(enrol)
    node.command(name="publish")(publish)
    return node


@app.command("gateway", help="Run the federation gateway.")
def _gateway() -> Commands:
    from federation.gateway.commands import app as gateway

    return gateway


@app.command("exchange", help="Run the pseudonym exchange.")
@cache
def _exchange() -> Commands:
    from federation.exchange.server import serve

    def serve_exchange(settings: SettingsOption) -> None:
        """Run the pseudonym exchange until it is told to stop."""
        serve(settings)

    exchange = typer.Typer(no_args_is_help=True, help="Run the pseudonym exchange.")
    exchange.command(name="serve")(serve_exchange)
    return exchange


@app.command(
    "federation",
    help="Found a federation and keep its member list.",
)
def _federation() -> Commands:
    from federation.membership.commands import app as federation

    return federation


@app.command(
    "agreement",
    help="Draft, sign, suspend and end agreements.",
)
def _agreement() -> Commands:
    from federation.membership.agreement_commands import app as agreement

    return agreement


@app.command("ledger", help="Verify tamper-evident ledgers.")
@cache
def _ledger() -> Commands:
    from federation.consumer.ledger_commands import prove, witness
    from federation.demo.ledger_command import verify

    ledger = typer.Typer(no_args_is_help=True, help="Verify tamper-evident ledgers.")
    ledger.command(name="prove")(prove)
    ledger.command(name="witness")(witness)
    ledger.command(name="verify")(verify)
    return ledger


@app.command("keys", help="Make the keys of a party.")
def _keys() -> Commands:
    from federation.membership.key_commands import app as keys

    return keys


@app.command("schema", help="The shared vocabulary and composed schemas.")
@cache
def _schema() -> Commands:
    from federation.gateway.schema_commands import check_command, diff_command
    from node.vocabulary.schema import printed_schema

    def print_schema() -> None:
        """Print the shared vocabulary as GraphQL SDL."""
        sys.stdout.write(printed_schema())

    schema = typer.Typer(no_args_is_help=True, help="The shared vocabulary and composed schemas.")
    schema.command(name="diff")(diff_command)
    schema.command(name="check")(check_command)
    schema.command(name="print")(print_schema)
    return schema


@app.command("policy", help="Write, test, compare and prove privacy policies.")
def _policy() -> Commands:
    from node.console.policy_commands import app as policy

    return policy


@app.command("db", help="A node's own tables: upgrade, back up, restore.")
def _db() -> Commands:
    from node.server.db_commands import app as db

    return db


EXTRAS: Final = {"asyncpg": "postgres", "greenlet": "postgres", "duckdb": "import", "pkcs11": "hsm"}
"""The packages that not every installation has, and the extra of this one that brings each."""


def main() -> None:
    """Run the command; a refusal is one line on standard error and an exit status that says what kind it is."""
    # Registers, ledgers and keys are for whom they belong to.
    os.umask(0o077)
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    try:
        app(_in_a_language(sys.argv[1:]))
    except CroceviaError as error:
        raise SystemExit(_told(error)) from error
    except ImportError as error:
        lacking = _lacking(error)
        if lacking is None:
            raise
        raise SystemExit(_told(lacking)) from error
    except OSError as error:
        if error.filename is None and error.errno != errno.ENOSPC:
            raise
        # A full disk has a name only where a file was opened; what is written bit by bit has none.
        what = "the output" if error.filename is None else f"`{error.filename}`"
        told = _told(BadInputError(f"{what} cannot be read or written: {error.strerror}"))
        raise SystemExit(told) from error
    except KeyboardInterrupt:
        raise SystemExit(130) from None


def _in_a_language(arguments: list[str]) -> list[str]:
    """Take the language that is asked for out of a command line, and let everything be said in it."""
    others, language = language_apart(arguments)
    if language:
        os.environ[LANGUAGE_VARIABLE] = language
    # English where nothing is asked for, as the documents; officers' sentences are Italian then.
    if asked_language(os.environ) is Language.ITALIAN:
        from federation.contract.help_language import speak_italian

        speak_italian()
    return others


def _lacking(error: BaseException | None) -> CroceviaError | None:
    """Say which extra to install, if an import failed for want of one; libraries wrap the error that names it."""
    while isinstance(error, ImportError):
        extra = EXTRAS.get((error.name or "").partition(".")[0])
        if extra is not None:
            return ConfigurationError(
                f"this needs the package `{error.name}`: `pip install 'crocevia[{extra}]'`, "
                f"or in a clone `.venv/bin/pip install --editable '.[{extra}]'`"
            )
        error = error.__cause__
    return None


def _told(error: CroceviaError) -> int:
    from rich.console import Console
    from rich.markup import escape

    refusal = f"[red]{error.code}[/] {escape(error.message)}"
    Console(stderr=True).print(refusal, highlight=False, markup=True, soft_wrap=True)
    return exit_code(error)


if __name__ == "__main__":
    main()
