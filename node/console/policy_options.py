"""What the policy commands share: options, exit codes, reading bundles, errors in words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import typer

from federation.contract.errors import BadInputError, CroceviaError
from federation.contract.exit_codes import ExitCode, exit_code
from node.console.policy_folders import bundle_folders, check_folder
from node.console.policy_output import say
from node.policy.bundle import Bundle
from node.policy.errors import BundleError, PolicyError
from node.policy.findings import Severity
from node.policy.sentences import Language
from node.policy.signing import BundleRefusedError


class Format(StrEnum):
    """How results are written."""

    TABLE = "table"
    JSON = "json"


PoliciesOption = Annotated[Path, typer.Option("--policies", help="Folder of a bundle, or of several bundles.")]
SchemaOption = Annotated[Path | None, typer.Option("--schema", help="GraphQL schema that the bundle must cover.")]
FormatOption = Annotated[Format, typer.Option("--format", help="How results are written.")]
LanguageOption = Annotated[Language, typer.Option("--lang", help="Language of the sentences.")]
DEFAULT_FOLDER: Final = Path("policies")


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
        raise BadInputError(f"`{policies}` holds several bundles; name one of them with `--policies`")
    return next(bundles_in(folder, schema))


@contextmanager
def errors_in_words() -> Iterator[None]:
    """Turn every expected error into one line on standard error and an exit code."""
    try:
        yield
    except BundleError as error:
        for finding in error.findings:
            say(str(finding))
        raise typer.Exit(ExitCode.CHECK_FAILED) from error
    except BundleRefusedError as error:
        say(f"{error} [{error.code}]")
        raise typer.Exit(ExitCode.REFUSED) from error
    except PolicyError as error:
        say(f"{error} [{error.code}]")
        raise typer.Exit(ExitCode.USAGE) from error
    except CroceviaError as error:
        say(f"{error} [{error.code}]")
        raise typer.Exit(exit_code(error)) from error


def exit_if(failed: bool) -> None:  # noqa: FBT001  # the outcome, not a switch
    if failed:
        raise typer.Exit(ExitCode.CHECK_FAILED)
