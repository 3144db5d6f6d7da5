"""`crocevia keys …`: a party's keys, made, replaced, listed, and asked a certificate for."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from federation.contract.errors import ConfigurationError
from federation.contract.settings_files import replace_file
from federation.trust.authority import certificate_request
from federation.trust.channel import CHANNEL_KEY
from federation.trust.hardware import HardwareKey, generate_in_hardware, load_signer
from federation.trust.keys import ensure_p256
from federation.trust.party_keys import known_keys, listed_until, make_party_keys, rotate_message_key
from federation.trust.registry import last_list

app = typer.Typer(no_args_is_help=True, help="Make the keys of a party.")


@app.command(name="generate")
def generate(
    folder: Annotated[Path, typer.Argument(help="The party's key folder; keys that are there are kept.")],
    module: Annotated[
        Path | None, typer.Option("--pkcs11", help="Make the message key in this PKCS#11 module.")
    ] = None,
    token: Annotated[str, typer.Option(help="The token's label in the module.")] = "crocevia",  # noqa: S107  # a name
    label: Annotated[str, typer.Option(help="The key's label in the token.")] = "message",
    pin: Annotated[Path | None, typer.Option("--pin-file", help="The file of mode 0600 with the token's PIN.")] = None,
) -> None:
    """Make a party's missing keys, in files of mode 0600 or the message key in hardware, and print its thumbprint."""
    if module is not None:
        if pin is None:
            raise ConfigurationError("give `--pin-file` with `--pkcs11`")
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        generate_in_hardware(folder, HardwareKey(module, token, label, pin.resolve()))
    for path in make_party_keys(folder):
        sys.stdout.write(f"{path}\n")
    sys.stdout.write(f"message key {load_signer(folder).kid}\n")


@app.command(name="rotate")
def rotate(folder: Annotated[Path, typer.Argument(help="The party's key folder.")]) -> None:
    """Take the next step of replacing a party's message key, with both keys listed while both are in use."""
    sys.stdout.write(rotate_message_key(folder) + "\n")


@app.command(name="list")
def list_keys(
    folder: Annotated[Path, typer.Argument(help="The party's key folder.")],
    registry: Annotated[
        Path | None, typer.Option(help="Also say which keys the registry in this folder lists.")
    ] = None,
) -> None:
    """Show the keys of a party: use, thumbprint, and until when they are listed; never a private one."""
    members = None if registry is None else last_list(registry)
    table = Table("file", "signs", "thumbprint", "listed until")
    for column in table.columns:
        column.overflow = "fold"  # thumbprints are compared letter by letter: none may be missing
    for each in known_keys(folder):
        table.add_row(each.file, each.use, each.kid, "" if members is None else listed_until(each.kid, members))
    Console().print(table)


@app.command(name="request")
def request(
    folder: Annotated[Path, typer.Argument(help="The party's key folder.")],
    party: Annotated[str, typer.Argument(help="The party: a member's code, `gateway`, `exchange`, or `operator`.")],
    out: Annotated[Path, typer.Option(help="Where to write the request.")] = Path("channel.csr.pem"),
) -> None:
    """Make the key of a party's channels (mutual TLS) unless it is there, and write a request for its certificate."""
    replace_file(out, certificate_request(ensure_p256(folder / CHANNEL_KEY), party))
    sys.stdout.write(f"{out}\n")
