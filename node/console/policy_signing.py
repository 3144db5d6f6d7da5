"""The commands that bring a policy into force: `sign`, `approve`, `verify`, `publish` and `rollback`."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Annotated, Final

import msgspec
import typer

from federation.contract.errors import BadInputError
from federation.contract.languages import Language
from federation.trust.keys import ed25519_jwk, generate_ed25519, load_ed25519, thumbprint
from node.console.policy_folders import read_files
from node.console.policy_options import (
    DEFAULT_FOLDER,
    Format,
    FormatOption,
    LanguageOption,
    PoliciesOption,
    SchemaOption,
    errors_in_words,
    one_bundle,
)
from node.console.policy_output import print_json
from node.console.policy_store import (
    PolicyStore,
    next_manifest,
    read_envelope,
    read_officers,
    signed,
    write_whole,
)
from node.policy.messages import Message, message, said
from node.policy.signing import (
    ENVELOPE_FILE,
    Envelope,
    Manifest,
    OfficerRow,
    Role,
    officer_rows,
    require_files,
    require_two_officers,
    verify_bundle,
)

SIGNED: Final = message("signed by the author")
APPROVED: Final = message("approved")
ADMISSIBLE: Final = message("signed by two officers and may come into force")
CURRENT: Final = message("signed by two officers and in force")
COPIED: Final = message("copied, unsigned: sign, approve and publish it")
KeyOption = Annotated[Path, typer.Option("--key", help="The officer's Ed25519 key file (PEM, mode 0600).")]
OfficersOption = Annotated[Path, typer.Option("--officers", help="officers.json: holders, roles and public keys.")]
StoreOption = Annotated[Path, typer.Option("--store", help="Folder of the published revisions.")]


def officer(
    holder: Annotated[str, typer.Argument(help="Who the officer is; one person has one name here, whatever the keys.")],
    role: Annotated[list[Role], typer.Option("--role", help="What she may sign; repeat it.")],
    key: KeyOption,
    officers: Annotated[Path, typer.Option("--officers", help="officers.json, to which the public key is added.")],
    output: FormatOption = Format.TABLE,
    *,
    lang: LanguageOption,
) -> None:
    """Make an officer's key if it is not there, and enter its public half into officers.json."""
    with errors_in_words(lang, output):
        if not key.exists():
            key.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            generate_ed25519(key)
        row = OfficerRow(holder, tuple(role), ed25519_jwk(load_ed25519(key)))
        known = officer_rows(officers.read_bytes()) if officers.is_file() else []
        rows = [*(one for one in known if one.jwk != row.jwk), row]
        write_whole(officers, msgspec.json.format(msgspec.json.encode(rows), indent=2) + b"\n")
    if output is Format.JSON:
        print_json({"holder": holder, "roles": [str(one) for one in role], "kid": thumbprint(row.jwk)})
    else:
        entered = message(
            "{path}: `{holder}` may sign as {roles} with {key} (for that person's eyes only)",
            path=officers,
            holder=holder,
            roles=", ".join(role),
            key=key,
        )
        typer.echo(said(entered, lang))


def sign(
    key: KeyOption,
    policies: PoliciesOption = DEFAULT_FOLDER,
    store: Annotated[
        Path | None, typer.Option("--store", help="Folder of the published revisions; omitted for the first one.")
    ] = None,
    schema: SchemaOption = None,
    output: FormatOption = Format.TABLE,
    *,
    lang: LanguageOption,
) -> None:
    """Sign a bundle as its author: write bundle.json with the next revision."""
    with errors_in_words(lang, output):
        folder, files = _sound(policies, schema)
        envelope = signed(Envelope(next_manifest(files, _in_force(store))), Role.AUTHOR, key)
        write_whole(folder / ENVELOPE_FILE, envelope.to_bytes())
    _tell(output, lang, folder, envelope.manifest, SIGNED)


def approve(
    key: KeyOption,
    policies: PoliciesOption = DEFAULT_FOLDER,
    schema: SchemaOption = None,
    output: FormatOption = Format.TABLE,
    *,
    lang: LanguageOption,
) -> None:
    """Sign a bundle as its approver, who is another person than its author."""
    with errors_in_words(lang, output):
        folder, files = _sound(policies, schema)
        envelope = read_envelope(folder)
        require_files(files, envelope.manifest)
        envelope = signed(envelope, Role.APPROVER, key)
        write_whole(folder / ENVELOPE_FILE, envelope.to_bytes())
    _tell(output, lang, folder, envelope.manifest, APPROVED)


def verify(
    officers: OfficersOption,
    policies: PoliciesOption = DEFAULT_FOLDER,
    store: Annotated[Path | None, typer.Option("--store", help="Folder of the published revisions.")] = None,
    schema: SchemaOption = None,
    output: FormatOption = Format.TABLE,
    *,
    lang: LanguageOption,
) -> None:
    """Say whether a bundle may come into force, or is in force: its files, its revision, its two signatures."""
    with errors_in_words(lang, output):
        folder, files = _sound(policies, schema)
        envelope, current = read_envelope(folder), _in_force(store)
        if envelope.manifest == current:
            require_files(files, envelope.manifest)
            require_two_officers(envelope, read_officers(officers))
            state = CURRENT
        else:
            verify_bundle(files, envelope, read_officers(officers), current)
            state = ADMISSIBLE
    _tell(output, lang, folder, envelope.manifest, state)


def publish(
    officers: OfficersOption,
    store: StoreOption,
    policies: PoliciesOption = DEFAULT_FOLDER,
    schema: SchemaOption = None,
    output: FormatOption = Format.TABLE,
    *,
    lang: LanguageOption,
) -> None:
    """Bring a signed bundle into force: keep it under its revision and point `current` at it, in one step."""
    with errors_in_words(lang, output):
        folder, files = _sound(policies, schema)
        envelope = read_envelope(folder)
        PolicyStore(store).publish(files, envelope, read_officers(officers))
    _tell(output, lang, folder, envelope.manifest, message("in force in {store}", store=store))


def rollback(
    revision: Annotated[int, typer.Argument(help="The revision whose content shall come back.")],
    store: StoreOption,
    into: Annotated[Path, typer.Option("--into", help="New folder for the draft.")],
    output: FormatOption = Format.TABLE,
    *,
    lang: LanguageOption,
) -> None:
    """Write an older revision as a new draft, to be signed and approved under a higher revision."""
    with errors_in_words(lang, output):
        found = PolicyStore(store).revision(revision)
        if into.exists():
            raise BadInputError(message("`{path}` exists already; name a new folder", path=into))
        shutil.copytree(found.folder, into)
        (into / ENVELOPE_FILE).unlink()
    _tell(output, lang, into, found.envelope.manifest, COPIED)


def _tell(output: Format, lang: Language, folder: Path, manifest: Manifest, state: Message) -> None:
    """Say what became of a bundle."""
    if output is Format.JSON:
        print_json(
            {
                "folder": str(folder),
                "revision": manifest.revision,
                "digest": manifest.digest,
                "bundle": manifest.bundle,
                "parent": manifest.parent,
                "state": state,
            }
        )
        return
    line = message(
        "{folder}: revision {revision} ({digest}…) is {state}",
        folder=folder,
        revision=manifest.revision,
        digest=manifest.bundle[:19],
        state=state,
    )
    typer.echo(said(line, lang))


def _sound(policies: Path, schema: Path | None) -> tuple[Path, dict[str, bytes]]:
    """Return the one bundle of a folder and its files; nobody signs a bundle with an error."""
    folder, _ = one_bundle(policies, schema)
    return folder, read_files(folder)


def _in_force(store: Path | None) -> Manifest | None:
    current = None if store is None else PolicyStore(store).current()
    return None if current is None else current.envelope.manifest
