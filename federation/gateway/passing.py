"""Which headers of a client's request go on to members in open mode: those that were named, and its trace."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from federation.contract.errors import ConfigurationError
from federation.execution.ports import NOTHING_PASSED, Headers, PassedOn

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_TRACE_PARENT = re.compile(rb"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
_OF_ONE_CONNECTION = frozenset(
    {
        *("accept", "accept-encoding", "connection", "content-encoding", "content-length", "content-type", "expect"),
        *("host", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "traceparent", "tracestate"),
    }
)
"""Headers of the connection, the message or the trace (RFC 9110 section 7.6.1): never copied by name."""


@dataclass(frozen=True, slots=True)
class Passing:
    """The lower-case names of headers that are passed on."""

    names: tuple[bytes, ...] = ()

    @classmethod
    def of(cls, names: Iterable[str]) -> Passing:
        """Check names that somebody wrote.

        Raises:
            ConfigurationError: one is no header name, or is a header that every connection has of its own.
        """
        found = []
        for name in names:
            if not _TOKEN.fullmatch(name):
                raise ConfigurationError(f"`{name}` is no name of a header")
            if name.lower() in _OF_ONE_CONNECTION or name.lower().startswith("proxy-"):
                raise ConfigurationError(f"header `{name}` belongs to one connection and cannot be passed on")
            found.append(name.lower().encode())
        return cls(tuple(dict.fromkeys(found)))

    def of_request(self, headers: Mapping[bytes, bytes]) -> PassedOn:
        """Return what of a request's headers goes on; a trace that is malformed does not (W3C Trace Context 3.2)."""
        named = tuple((name, headers[name]) for name in self.names if name in headers)
        parent = headers.get(b"traceparent", b"")
        if not _TRACE_PARENT.fullmatch(parent):
            return PassedOn(named) if named else NOTHING_PASSED
        trace: Headers = ((b"traceparent", parent),)
        if b"tracestate" in headers:
            trace += ((b"tracestate", headers[b"tracestate"]),)
        return PassedOn(named, trace)
