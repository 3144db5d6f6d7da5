"""Sending bytes to another party's server, apart from questions: heads to witnesses, requests to authorities."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx

from federation.contract.errors import UnavailableError
from federation.trust.channel import Channel

MAX_ANSWER = 262_144
_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class PostReply:
    """What a server answered."""

    status: int
    body: bytes


@dataclass(frozen=True, slots=True)
class HttpPost:
    """Posts over HTTP: within a time for each step, no redirects, and an answer of bounded size."""

    client: httpx.AsyncClient

    async def __call__(self, url: str, content_type: str, body: bytes) -> PostReply:
        """Return the answer.

        Raises:
            UnavailableError: there was none in time, or it is too large.
        """
        headers = {"content-type": content_type, "accept-encoding": "identity"}
        parts: list[bytes] = []
        size = 0
        try:
            async with self.client.stream("POST", url, content=body, headers=headers) as response:
                async for part in response.aiter_raw():
                    size += len(part)
                    if size > MAX_ANSWER:
                        raise UnavailableError(f"server answered with more than {MAX_ANSWER} bytes")
                    parts.append(part)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise UnavailableError(f"server does not answer: {type(error).__name__}") from error
        return PostReply(response.status_code, b"".join(parts))


@asynccontextmanager
async def open_post(channel: Channel | None = None) -> AsyncIterator[HttpPost]:
    """Open the way out, by a party's channels where it has some, and close it at the end."""
    verify = True if channel is None else channel.asking
    async with httpx.AsyncClient(timeout=_SECONDS, trust_env=False, follow_redirects=False, verify=verify) as client:
        yield HttpPost(client)
