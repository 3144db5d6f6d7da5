"""Where a command finds the federation: a folder with its registry and, in a demo, everybody's files."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer
from graphql import GraphQLSchema, build_schema

from federation.contract.clock import SystemClock
from federation.contract.errors import ConfigurationError
from federation.contract.languages import LANGUAGE_HELP, Language, preferred_language
from federation.contract.members import MemberList
from federation.trust.registry import ROOT_FILE, Registry
from federation.trust.trusted_list import API_FILE

HomeOption = Annotated[Path, typer.Option("--home", envvar="CROCEVIA_HOME", help="Folder of the federation's files.")]
DEFAULT_HOME = Path(".crocevia/demo")
LanguageOption = Annotated[
    Language,
    typer.Option(
        "--lang",
        default_factory=lambda: preferred_language(os.environ),
        help=LANGUAGE_HELP,
        show_default=False,
    ),
]


def federation_at(home: Path) -> MemberList:
    """Return the member list of the federation whose registry is in a folder.

    Raises:
        ConfigurationError: the folder holds no federation.
        RegistryStaleError: its member list has expired.
    """
    return _registry(home).current()


def api_schema_at(home: Path) -> GraphQLSchema:
    """Return the schema that consumers see, as the member list vouches for it.

    Raises:
        ConfigurationError, RegistryStaleError: as `federation_at`.
    """
    return build_schema(_registry(home).document(API_FILE), assume_valid=True)


def _registry(home: Path) -> Registry:
    if not (home / "registry" / ROOT_FILE).exists():
        raise ConfigurationError(f"`{home}` holds no federation; run `crocevia demo` first, or give `--home`")
    return Registry.open(home / "registry", SystemClock())
