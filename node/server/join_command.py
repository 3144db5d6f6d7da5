"""`crocevia node join`: makes the keys that are missing and writes the proposal that the operators examine."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console

from federation.contract.clock import SystemClock
from federation.contract.errors import BadInputError, ConfigurationError
from federation.contract.identifiers import MemberId, member_id
from federation.contract.members import VoucherClient
from federation.contract.settings_files import replace_file
from federation.trust.party_keys import make_party_keys
from federation.trust.registry import ROOT_FILE, read_root
from federation.trust.trusted_list import federation_of
from node.membership.joining import Description, Serving, propose
from node.policy.coverage import Coverage
from node.policy.schema_view import SchemaView
from node.server.planes import governed_schema, member_mapping
from node.server.policies import load_decisions
from node.server.settings import NodeSettings, load_settings
from node.subgraph.schema import NodeSchema, asked_coordinates
from node.vocabulary.schema import full_schema

_errors = Console(stderr=True)


def join(  # what the member list says of a member
    name: Annotated[list[str], typer.Option(help="`it=Comune di …`: the name in a language; repeat it.")],
    kind: Annotated[str, typer.Option(help="What policies read as `requester.kind`, such as `municipality`.")],
    area: Annotated[str, typer.Option(help="What policies read as `requester.area`; `*` for everywhere.")],
    settings: Annotated[Path | None, typer.Option(help="The node's settings (TOML).")] = None,
    member: Annotated[str | None, typer.Option(help="Without a node: the code of a member that only asks.")] = None,
    keys: Annotated[Path | None, typer.Option(help="Without a node: the folder of its keys.")] = None,
    registry: Annotated[Path | None, typer.Option(help=f"Without a node: the folder with `{ROOT_FILE}`.")] = None,
    clients: Annotated[
        Path | None, typer.Option(help="The member's clients at platforms such as PDND, as JSON: docs/trust.md.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Where to write the proposal.")] = Path("proposal.json"),
) -> None:
    """Propose a member to a federation: keys, address, schema, and a proof of possession of every key."""
    names = dict(_language(each) for each in name)
    if settings is not None:
        node = load_settings(settings)
        described = Description(node.member, names, kind, area, _clients(clients))
        folder, root, serving = node.keys, node.registry, _serving(node)
    elif member and keys and registry:
        described = Description(MemberId(member_id(member)), names, kind, area, _clients(clients))
        folder, root, serving = keys, registry, None
    else:
        raise BadInputError("give `--settings` of a node, or `--member`, `--keys` and `--registry` to only ask")
    make_party_keys(folder)
    try:
        federation = federation_of(read_root(root))
    except BadInputError as error:
        raise ConfigurationError(f"`{root / ROOT_FILE}` cannot be used: {error.message}") from error
    signed = propose(federation, described, folder, serving, SystemClock())
    replace_file(out, msgspec.json.format(msgspec.json.encode(signed), indent=2) + b"\n")
    sys.stdout.write(f"{out}\n")
    _errors.print(f"[bold]{described.member}[/] proposes to join {federation}", highlight=False)
    if serving:
        _errors.print(f"start the node before the operators examine it: they ask {serving.endpoint} for a proof")
    _errors.print(f"hand `{out}` to the operators: `crocevia federation admit {out}`", highlight=False)


def _serving(settings: NodeSettings) -> Serving:
    """Return what a node serves, every field of it governed by the node's policy (R34), and say so.

    Raises:
        ConfigurationError, MappingError: the mapping cannot be used.
        PolicyUnavailableError: the policies have errors, or a served field has no policy; names each.
    """
    mapping = member_mapping(settings)
    bundle = load_decisions(settings.policies, governed_schema(mapping)).bundle
    schema = NodeSchema.build(full_schema(), mapping, asked_coordinates(bundle.types.values())).published_sdl
    _errors.print(f"{Coverage.of(bundle, SchemaView.parse(schema))}, by bundle {bundle.digest}", highlight=False)
    governed = (f"{document.name}.{field}" for document in bundle.types.values() for field in document.fields)
    return Serving(settings.url + "/graphql", schema, bundle.digest, tuple(sorted(governed)), mapping.broadcast)


def _clients(path: Path | None) -> tuple[VoucherClient, ...]:
    if path is None:
        return ()
    try:
        return msgspec.json.decode(path.read_bytes(), type=tuple[VoucherClient, ...])
    except OSError as error:
        raise BadInputError(f"`{path}` cannot be read: {error.strerror}") from error
    except msgspec.MsgspecError as error:
        raise BadInputError(f"`{path}` is not a list of clients: {error}") from error


def _language(text: str) -> tuple[str, str]:
    language, equals, name = text.partition("=")
    if not equals or not name or len(language) != len("it"):
        raise BadInputError(f"expected a name such as `it=Comune di Borgoverde`, got `{text}`")
    return language, name
