#!/usr/bin/env python
"""Our client of The Update Framework as tuf-conformance drives it: `refresh` takes the steps of `trusted_list.update`.

    cd TUF-CONFORMANCE && pytest tuf_conformance --entrypoint …/tests/outside/tuf_client.py

Each role is kept as soon as it is trusted, as the suite wants to see it. Targets are whatever the member list's
repository names at its top level: there are no delegations here, so the suite's tests of them do not apply.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tuf.api.exceptions import RepositoryError
from tuf.ngclient._internal.trusted_metadata_set import TrustedMetadataSet

from federation.contract.errors import CroceviaError, UnavailableError
from federation.trust import trusted_list as ours


@dataclass(frozen=True, slots=True)
class Server:
    """The suite's repository; `metadata` and `targets` are addresses."""

    metadata: str
    targets: str

    def changed(self) -> bool:
        """There may always be something new."""
        return True

    def read(self, name: str, limit: int) -> bytes | None:
        """Return a file; see `Source.read`."""
        folder, _, rest = name.partition("/")
        base = self.metadata if folder == ours.METADATA else self.targets
        try:
            with urlopen(f"{base.rstrip('/')}/{rest}") as answer:  # the suite's own address
                content: bytes = answer.read(limit + 1)
        except HTTPError as error:
            if error.code in {403, 404}:
                return None
            raise UnavailableError(f"status {error.code}") from error
        if len(content) > limit:
            raise UnavailableError("too long")
        return content


def refresh(folder: Path, source: Server) -> TrustedMetadataSet:
    """Take root, timestamp, snapshot and targets, one after the other, and keep each in a file of its own."""

    def keep(seen: ours.Seen) -> None:
        for role in seen.__struct_fields__:
            if content := getattr(seen, role):
                (folder / f"{role}.json").write_bytes(content)

    def kept(role: str) -> bytes:
        path = folder / f"{role}.json"
        return path.read_bytes() if path.exists() else b""

    seen = ours.Seen(**{role: kept(role) for role in ours.Seen.__struct_fields__})
    trusted, _ = ours.follow_roles(seen, source, datetime.now(UTC), keep)
    return trusted


def download(folder: Path, source: Server, names: list[str], into: Path) -> None:
    """Take files that the targets name."""
    trusted = refresh(folder, source)
    for name in names:
        path = into / name.replace("/", "%2F")
        known = path.read_bytes() if path.exists() else None
        content = ours._file(trusted.targets.targets[name], known, source)
        if content != known:
            path.write_bytes(content)


def main() -> int:
    """Do what the suite says."""
    parser = argparse.ArgumentParser()
    for option in ("--metadata-url", "--metadata-dir", "--target-dir", "--target-base-url"):
        parser.add_argument(option, default="")
    parser.add_argument("--target-name", action="append", default=[])
    parser.add_argument("command", choices=["init", "refresh", "download"])
    parser.add_argument("root", nargs="?")
    asked = parser.parse_args()
    folder, source = Path(asked.metadata_dir), Server(asked.metadata_url, asked.target_base_url)
    try:
        match asked.command:
            case "init":
                (folder / "root.json").write_bytes(Path(asked.root).read_bytes())
            case "refresh":
                refresh(folder, source)
            case _:
                download(folder, source, asked.target_name, Path(asked.target_dir))
    except (CroceviaError, RepositoryError, OSError, KeyError) as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
