"""The commands that bring a policy into force: `sign`, `approve`, `verify`, `publish` and `rollback`."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import Annotated, Final

import typer

from federation.contract.errors import BadInputError, NotFoundError
from federation.trust.keys import ed25519_from_jwk, ed25519_jwk, load_ed25519, thumbprint
from node.console.policy_folders import read_files
from node.console.policy_options import DEFAULT_FOLDER, PoliciesOption, bundles_in, errors_in_words
from node.console.policy_output import say
from node.policy.signing import (
    ENVELOPE_FILE,
    BundleRefusedError,
    Envelope,
    Manifest,
    Officer,
    Role,
    add_signature,
    officer_rows,
    verify_bundle,
)

KeyOption = Annotated[Path, typer.Option("--key", help="The officer's Ed25519 key file (PEM, mode 0600).")]
OfficersOption = Annotated[Path, typer.Option("--officers", help="officers.json: holders, roles and public keys.")]
StoreOption = Annotated[Path, typer.Option("--store", help="Folder of the published revisions.")]
_CURRENT: Final = "current"


def sign(
    key: KeyOption,
    policies: PoliciesOption = DEFAULT_FOLDER,
    store: Annotated[
        Path | None, typer.Option("--store", help="Folder of the published revisions; omitted for the first one.")
    ] = None,
) -> None:
    """Sign a bundle as its author: write bundle.json with the next revision."""
    with errors_in_words():
        folder, files = _sound(policies)
        current = None if store is None else _current(store)
        manifest = Manifest.of(
            files, 1 if current is None else current.revision + 1, None if current is None else current.digest
        )
        _write(folder, _signed(Envelope(manifest), Role.AUTHOR, key))
        say(f"{folder / ENVELOPE_FILE}: revision {manifest.revision} ({manifest.digest}), signed by the author")


def approve(key: KeyOption, policies: PoliciesOption = DEFAULT_FOLDER) -> None:
    """Sign a bundle as its approver, who is another person than its author."""
    with errors_in_words():
        folder, files = _sound(policies)
        envelope = _envelope(folder)
        if Manifest.of(files, envelope.manifest.revision, envelope.manifest.parent) != envelope.manifest:
            raise BundleRefusedError("the files are not those that the author signed; have the bundle signed again")
        _write(folder, _signed(envelope, Role.APPROVER, key))
        say(f"{folder / ENVELOPE_FILE}: revision {envelope.manifest.revision}, approved")


def verify(
    officers: OfficersOption,
    policies: PoliciesOption = DEFAULT_FOLDER,
    store: Annotated[Path | None, typer.Option("--store", help="Folder of the published revisions.")] = None,
) -> None:
    """Say whether a bundle may come into force: its files, its revision, its two signatures."""
    with errors_in_words():
        folder, files = _sound(policies)
        envelope = _envelope(folder)
        verify_bundle(files, envelope, _officers(officers), None if store is None else _current(store))
        typer.echo(f"{folder}: revision {envelope.manifest.revision} is signed by two officers and may come into force")


def publish(officers: OfficersOption, store: StoreOption, policies: PoliciesOption = DEFAULT_FOLDER) -> None:
    """Bring a signed bundle into force: keep it under its revision and point `current` at it, in one step."""
    with errors_in_words():
        folder, files = _sound(policies)
        envelope = _envelope(folder)
        verify_bundle(files, envelope, _officers(officers), _current(store))
        _keep(store, files, envelope)
        say(f"{store}: revision {envelope.manifest.revision} is in force")


def rollback(
    revision: Annotated[int, typer.Argument(help="The revision whose content shall come back.")],
    store: StoreOption,
    into: Annotated[Path, typer.Option("--into", help="New folder for the draft.")],
) -> None:
    """Write an older revision as a new draft, to be signed and approved under a higher revision."""
    with errors_in_words():
        source = store / str(revision)
        if not source.is_dir():
            raise NotFoundError(f"revision {revision} is not in `{store}`")
        if into.exists():
            raise BadInputError(f"`{into}` exists already; name a new folder")
        shutil.copytree(source, into)
        (into / ENVELOPE_FILE).unlink()
        say(f"{into}: the content of revision {revision}, unsigned; sign, approve and publish it")


def _sound(policies: Path) -> tuple[Path, dict[str, bytes]]:
    """Return the one bundle of a folder and its files; nobody signs a bundle with an error."""
    [(folder, _), *others] = list(bundles_in(policies, None))
    if others:
        raise BadInputError(f"`{policies}` holds several bundles; name one of them with `--policies`")
    return folder, read_files(folder)


def _envelope(folder: Path) -> Envelope:
    path = folder / ENVELOPE_FILE
    if not path.is_file():
        raise NotFoundError(f"`{path}` does not exist; sign the bundle first")
    return Envelope.parse(path.read_bytes())


def _signed(envelope: Envelope, role: Role, key: Path) -> Envelope:
    private = load_ed25519(key)
    return add_signature(envelope, role, thumbprint(ed25519_jwk(private)), private.sign)


def _officers(path: Path) -> dict[str, Officer]:
    if not path.is_file():
        raise NotFoundError(f"officers file `{path}` does not exist")
    found = {}
    for row in officer_rows(path.read_bytes()):
        public = ed25519_from_jwk(row["jwk"])
        found[thumbprint(row["jwk"])] = Officer(row["holder"], row["roles"], public.verify)
    return found


def _current(store: Path) -> Manifest | None:
    pointer = store / _CURRENT
    return _envelope(pointer).manifest if pointer.exists() else None


def _write(folder: Path, envelope: Envelope) -> None:
    _replace(folder / ENVELOPE_FILE, envelope.to_bytes())


def _replace(path: Path, content: bytes) -> None:
    """Write a file whole or not at all."""
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    Path(file.name).replace(path)


def _keep(store: Path, files: dict[str, bytes], envelope: Envelope) -> None:
    """Write the revision beside the others, then move the pointer: a reader sees the old or the new, never both."""
    store.mkdir(parents=True, exist_ok=True)
    target = store / str(envelope.manifest.revision)
    draft = Path(tempfile.mkdtemp(dir=store))
    for path, content in {**files, ENVELOPE_FILE: envelope.to_bytes()}.items():
        (draft / path).parent.mkdir(parents=True, exist_ok=True)
        (draft / path).write_bytes(content)
    if target.exists():
        shutil.rmtree(target)  # left by a publication that was interrupted before it moved the pointer
    draft.rename(target)
    pointer = store / f".{_CURRENT}"
    pointer.unlink(missing_ok=True)
    pointer.symlink_to(target.name)
    pointer.rename(store / _CURRENT)
