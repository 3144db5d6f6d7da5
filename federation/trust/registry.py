"""The registry as one process trusts it: the member list in force, looked at again whenever there may be a newer one.

A folder is looked at with every question; a registry at an address every few seconds, beside the questions (`follow`).
"""

from __future__ import annotations

import asyncio
import fcntl
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self
from urllib.parse import quote

import httpx
import msgspec

from federation.contract.clock import Clock, rfc3339
from federation.contract.errors import (
    BadInputError,
    ConfigurationError,
    CroceviaError,
    RegistryStaleError,
    UnavailableError,
)
from federation.contract.members import MemberList
from federation.trust.trusted_list import (
    TIMESTAMP_NAME,
    Kept,
    Seen,
    Source,
    TrustedList,
    federation_of,
    newest,
    restore,
    update,
)

ROOT_FILE: Final = "root.json"
"""The first root: whom to believe about the member list. It comes to a member by hand, never over the wire."""

KEPT_FILE: Final = "member-list.json"
FOLLOW_SECONDS: Final = 5.0
_HTTP_SECONDS = 5.0

_log = logging.getLogger("crocevia.registry")


@dataclass(slots=True)
class FolderSource:
    """A registry in a folder of this machine, as its operators or a mirror write it."""

    path: Path
    _seen: tuple[int, int] = field(default=(0, 0), repr=False)
    _timestamp: str = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._timestamp = str(self.path / TIMESTAMP_NAME)

    def changed(self) -> bool:
        """Tell whether another timestamp lies there: it is the last file that is written."""
        try:
            state = os.stat(self._timestamp)  # noqa: PTH116  # before every request: a path made once is cheaper
        except OSError:
            return False  # a registry that cannot be reached is no reason to forget the list in force
        found = (state.st_mtime_ns, state.st_ino)
        changed, self._seen = found != self._seen, found
        return changed

    def read(self, name: str, limit: int) -> bytes | None:
        """Return a file; see `Source.read`."""
        path = self.path / name
        try:
            with path.open("rb") as file:
                content = file.read(limit + 1)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise UnavailableError(f"registry `{path}` cannot be read: {error.strerror}") from error
        return _within(content, limit, name)


@dataclass(slots=True)
class HttpSource:
    """A registry at an address; `follow` asks, questions do not wait for it."""

    url: str

    def changed(self) -> bool:
        """Never tell: only `follow` looks."""
        return False

    def read(self, name: str, limit: int) -> bytes | None:
        """Return a file; see `Source.read`. Redirects are not followed."""
        url = f"{self.url.rstrip('/')}/{quote(name)}"
        headers = {"accept-encoding": "identity"}
        try:
            with (
                httpx.Client(timeout=_HTTP_SECONDS, trust_env=False) as client,
                client.stream("GET", url, headers=headers) as response,
            ):
                if response.status_code in {httpx.codes.FORBIDDEN, httpx.codes.NOT_FOUND}:
                    return None
                if response.status_code != httpx.codes.OK:
                    raise UnavailableError(f"registry answered {response.status_code} for `{name}`")
                content = bytearray()
                for part in response.iter_raw():
                    content += part
                    _within(content, limit, name)
        except httpx.TransportError as error:
            raise UnavailableError(f"registry at `{self.url}` does not answer") from error
        return bytes(content)


@dataclass(slots=True)
class Registry:
    """The member list that this process acts on.

    * Trust moves forwards only; what was trusted is kept in a file, so that a restart goes back no further. Worker
      processes share the file: each takes its steps from what stands there, as if all were one.
    * A list that cannot be trusted changes nothing: the last good one serves until it expires, and `refusal` says why
      the newer one was not taken.
    """

    source: Source
    clock: Clock
    kept: Kept
    federation: str
    keep_in: Path | None = None
    refusal: CroceviaError | None = None
    _list: TrustedList | None = field(default=None, repr=False)

    @classmethod
    def open(cls, folder: Path, clock: Clock, keep_in: Path | None = None, url: str | None = None) -> Self:
        """Open the registry in a folder, or at `url`; the folder holds the first root, which comes by hand.

        `keep_in` is where this process keeps the last list that it trusted, over restarts.

        Raises:
            ConfigurationError: the first root or the kept list cannot be used; names the file.
        """
        anchor = read_root(folder)
        source: Source = FolderSource(folder) if url is None else HttpSource(url)
        try:
            registry = cls(source, clock, Kept.beginning(anchor), federation_of(anchor), keep_in)
        except BadInputError as error:
            raise ConfigurationError(f"`{folder / ROOT_FILE}` cannot be used: {error.message}") from error
        registry._restore()
        if url is not None:
            registry.renew()
        return registry

    def current(self) -> MemberList:
        """Return the list in force.

        Raises:
            RegistryStaleError: there is none, or it expired and no newer one can be trusted; says why.
        """
        return self.in_force().members

    def in_force(self) -> TrustedList:
        """Return the list in force with the schemas that belong to it.

        Raises:
            RegistryStaleError: there is none, or it expired and no newer one can be trusted; says why.
        """
        if self.source.changed():
            self.renew()
        found = self._list
        because = "" if self.refusal is None else f"; the newest one is refused: {self.refusal.message}"
        if found is None:
            raise RegistryStaleError(f"no member list was received yet{because}")
        if found.expires <= self.clock.now():
            raise RegistryStaleError(
                f"member list {found.members.version} expired at {rfc3339(found.expires)} "
                f"and no newer one came{because}"
            )
        return found

    def document(self, name: str) -> str:
        """Return a published text, such as the API schema, that belongs to the list in force.

        Raises:
            RegistryStaleError: there is no list in force.
            ConfigurationError: nothing was published under that name.
        """
        content = self.in_force().files.get(name)
        if content is None:
            raise ConfigurationError(f"registry has no `{name}`; its operators publish it with the member list")
        return content.decode("utf-8")

    def renew(self) -> None:
        """Take the newest list, or say in `refusal` why not."""
        try:
            found = self._updated()
        except CroceviaError as error:
            if self.refusal is None or self.refusal.message != error.message:
                _log.warning("member list stays as it is: %s %s", error.code, error.message)
            self.refusal = error
        else:
            self._list, self.refusal = found, None

    def standing(self) -> dict[str, object]:
        """Return what an operator wants to see: the list in force, until when, and why a newer one was refused."""
        found = self.in_force()
        refused = {} if self.refusal is None else {"memberListRefused": self.refusal.code}
        return {"memberList": found.members.version, "memberListExpires": rfc3339(found.expires), **refused}

    def _updated(self) -> TrustedList:
        """Update, from what another worker kept whenever it came first; it went on, so this ends."""
        while True:
            try:
                found = update(self.kept, self.source, self.clock.now(), self._keep_ahead)
                if found.kept != self.kept:
                    self._keep(found.kept)
            except _OvertakenError:
                self._restore()
            else:
                return found

    def _restore(self) -> None:
        kept = None if self.keep_in is None else _read(self.keep_in)
        if kept is None:
            return
        if kept.anchor != self.kept.anchor:
            raise ConfigurationError(
                f"member list `{self.keep_in}` was trusted by another root than `{ROOT_FILE}`; "
                "remove it only if you know why the root is another one"
            )
        try:
            self._list = restore(kept)
        except CroceviaError as error:
            raise ConfigurationError(f"member list `{self.keep_in}` cannot be trusted: {error.message}") from error
        self.kept = kept

    def _keep_ahead(self, seen: Seen) -> None:
        self._keep(msgspec.structs.replace(self.kept, ahead=seen))

    def _keep(self, kept: Kept) -> None:
        """Replace what is kept in one step, durably, before it is acted on.

        Raises:
            _OvertakenError: another worker kept something since; it would be undone.
            ConfigurationError: it cannot be kept.
        """
        if self.keep_in is not None:
            with _locked(self.keep_in):
                if _read(self.keep_in) not in (None, self.kept):
                    raise _OvertakenError
                _write(self.keep_in, kept)
        self.kept = kept


class _OvertakenError(Exception):
    """Another worker's step was kept before this one: never leaves this module."""


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Let one process of a party at a time replace what is kept."""
    try:
        lock = path.with_name(f"{path.name}.lock").open("wb")
    except OSError as error:
        raise ConfigurationError(f"member list `{path}` cannot be kept: {error.strerror}") from error
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _read(path: Path) -> Kept | None:
    try:
        return msgspec.msgpack.decode(path.read_bytes(), type=Kept)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.MsgspecError) as error:
        raise ConfigurationError(f"member list `{path}` cannot be read; remove it to begin anew") from error


def _write(path: Path, kept: Kept) -> None:
    partial = path.with_name(f"{path.name}.part")
    try:
        with partial.open("wb") as file:
            file.write(msgspec.msgpack.encode(kept))
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError as error:
        raise ConfigurationError(f"member list `{path}` cannot be kept: {error.strerror}") from error


def read_root(folder: Path) -> bytes:
    """Read the first root.

    Raises:
        ConfigurationError: it is missing; names the file and where it comes from.
    """
    path = folder / ROOT_FILE
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigurationError(
            f"`{path}` cannot be read ({error.strerror}); the federation's operators hand it out"
        ) from error


def last_list(folder: Path) -> MemberList:
    """Return the newest list in a registry's folder, expired or not: whose keys were good for records of the past.

    Raises:
        CroceviaError: there is none that its operators signed.
    """
    return newest(read_root(folder), FolderSource(folder)).members


async def follow(registry: Registry, every: float = FOLLOW_SECONDS) -> None:
    """Ask a registry at an address again and again, until cancelled; a folder needs no asking."""
    while isinstance(registry.source, HttpSource):
        await asyncio.sleep(every)
        await asyncio.to_thread(registry.renew)


def _within(content: bytes | bytearray, limit: int, name: str) -> bytes:
    if len(content) > limit:
        raise UnavailableError(f"registry's file `{name}` is longer than {limit} bytes")
    return bytes(content)
