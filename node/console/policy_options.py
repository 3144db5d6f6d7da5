"""What the policy commands share: options, exit codes, reading bundles, errors in words."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from federation.contract.errors import BadInputError, CroceviaError
from federation.contract.exit_codes import ExitCode, exit_code
from federation.contract.languages import LANGUAGE_HELP, Language, preferred_language
from node.console.policy_folders import bundle_folders, check_folder
from node.console.policy_output import finding_json, finding_text, print_json, say
from node.policy.bundle import Bundle
from node.policy.errors import BundleError, PolicyError, nearest
from node.policy.findings import Severity
from node.policy.messages import Message, fillings_of, message, said
from node.policy.signing import BundleRefusedError


class Format(StrEnum):
    """How results are written."""

    TABLE = "table"
    JSON = "json"


PoliciesOption = Annotated[Path, typer.Option("--policies", help="Folder of a bundle, or of several bundles.")]
SchemaOption = Annotated[Path | None, typer.Option("--schema", help="GraphQL schema that the bundle must cover.")]
FormatOption = Annotated[Format, typer.Option("--format", help="How results are written.")]
LanguageOption = Annotated[
    Language,
    typer.Option(
        "--lang",
        default_factory=lambda: preferred_language(os.environ),
        help=LANGUAGE_HELP,
        show_default=False,
    ),
]
DEFAULT_FOLDER: Final = Path("policies")


def require_declared(what: Message, words: Iterable[str], known: Iterable[str]) -> None:
    """Refuse words of the command line that the vocabulary does not have.

    Raises:
        BadInputError: names the word and the nearest right one.
    """
    known = tuple(known)
    for word in words:
        if word not in known:
            raise BadInputError(
                message(
                    "{what} `{name}` is not in the vocabulary{nearest}",
                    what=what,
                    name=word,
                    nearest=nearest(word, known),
                )
            )


def bundles_in(policies: Path, schema: Path | None) -> Iterator[tuple[Path, Bundle]]:
    """Yield the bundles of a folder; one with an error stops the command with its findings."""
    for folder in bundle_folders(policies):
        checked = check_folder(folder, schema)
        errors = tuple(finding for finding in checked.findings if finding.severity is Severity.ERROR)
        if checked.bundle is None or errors:
            raise BundleError(errors)
        yield folder, checked.bundle


def one_bundle(policies: Path, schema: Path | None) -> tuple[Path, Bundle]:
    """Return the only bundle of a folder.

    Raises:
        BundleError: it has an error.
        BadInputError: the folder holds several.
        NotFoundError: it holds none.
    """
    folder, *others = bundle_folders(policies)
    if others:
        raise BadInputError(
            message("`{policies}` holds several bundles; name one of them with `--policies`", policies=policies)
        )
    return next(bundles_in(folder, schema))


@contextmanager
def errors_in_words(lang: Language | None = None, output: StrEnum = Format.TABLE) -> Iterator[None]:
    """Turn every expected error into an exit code, and a line on standard error or, for programs, JSON.

    Without `lang` they are said in the language that the environment asks for, as with `--lang` left out.
    """
    lang = preferred_language(os.environ) if lang is None else lang
    try:
        yield
    except OSError as problem:
        with errors_in_words(lang, output):
            told = message(
                "`{path}` cannot be read or written: {problem}", path=problem.filename, problem=problem.strerror
            )
            raise BadInputError(told) from problem
    except (PolicyError, CroceviaError) as error:
        if output == Format.JSON:
            print_json({"ok": False, **_error_json(error, lang)})
        else:
            for line in _error_lines(error, lang):
                say(line)
        raise typer.Exit(_exit_code(error)) from error


def _error_json(error: PolicyError | CroceviaError, lang: Language) -> dict[str, Any]:
    if isinstance(error, BundleError):
        return {"findings": [finding_json(finding, lang) for finding in error.findings]}
    text = error.args[0]
    return {"code": error.code, "params": fillings_of(text), "message": said(text, lang)}


def _error_lines(error: PolicyError | CroceviaError, lang: Language) -> list[str]:
    if isinstance(error, BundleError):
        return [finding_text(finding, lang) for finding in error.findings]
    return [f"{said(error.args[0], lang)} [{error.code}]"]


def _exit_code(error: PolicyError | CroceviaError) -> ExitCode:
    match error:
        case BundleError():
            return ExitCode.CHECK_FAILED
        case BundleRefusedError():
            return ExitCode.REFUSED
        case PolicyError():
            return ExitCode.USAGE
        case _:
            return exit_code(error)


def exit_if(failed: bool) -> None:  # noqa: FBT001  # the outcome, not a switch
    if failed:
        raise typer.Exit(ExitCode.CHECK_FAILED)
