"""The file that lists an open federation's subgraphs, and their schemas: from files, or asked of the subgraphs."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from federation.composition.subgraph import Subgraph
from federation.contract.errors import BadInputError, CroceviaError, NodeUnavailableError, NotFoundError
from federation.contract.graphql_request import strict_json
from federation.execution.members import HttpFetcher
from federation.execution.ports import FetchRequest
from federation.execution.transport.client import HttpClient
from federation.execution.transport.limits import TransportLimits
from federation.execution.transport.message import Endpoint
from federation.planning.plan import OperationKind

SECONDS = 10.0
"""How long a subgraph may take to tell its schema."""

EXPECTED = "expected JSON of the form {name: {url, sdl}}; `sdl` names a file, and the subgraph is asked without it"
_KNOWN = frozenset({"url", "sdl"})
_QUESTION = json.dumps("{ _service { sdl } }").encode()


def read_subgraphs(path: Path) -> list[Subgraph]:
    """Return the listed subgraphs with their schemas; files are named relative to the list.

    Raises:
        NotFoundError: the list, or a schema file, does not exist.
        BadInputError: the list has another form.
        NodeUnavailableError: a subgraph without a file does not tell its schema.
    """
    try:
        listed: Any = strict_json(read_text(path).encode())
    except BadInputError as error:
        raise BadInputError(f"`{path}`: {error}; {EXPECTED}") from error
    if not isinstance(listed, dict) or not listed:
        raise BadInputError(f"`{path}` lists no subgraphs: {EXPECTED}")
    for name, each in listed.items():
        _check(path, name, each)
    asked = {name: each["url"] for name, each in listed.items() if "sdl" not in each}
    told = asyncio.run(_ask(asked)) if asked else {}
    return [
        Subgraph(name, each.get("url", ""), told[name] if name in told else read_text(path.parent / each["sdl"]))
        for name, each in listed.items()
    ]


def read_text(path: Path) -> str:
    """Return a file's text.

    Raises:
        NotFoundError: it does not exist.
        BadInputError: it cannot be read as UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise NotFoundError(f"`{path}` does not exist") from error
    except (OSError, UnicodeDecodeError) as error:
        raise BadInputError(f"`{path}` cannot be read as UTF-8 text") from error


def _check(path: Path, name: str, each: Any) -> None:
    if not isinstance(each, dict) or not all(isinstance(value, str) for value in each.values()):
        raise BadInputError(f"`{path}`, subgraph `{name}`: {EXPECTED}")
    unknown = sorted(each.keys() - _KNOWN)
    if unknown:
        raise BadInputError(f"`{path}`, subgraph `{name}` has the unknown key `{unknown[0]}`: {EXPECTED}")
    if not each:
        raise BadInputError(f"`{path}`, subgraph `{name}` has neither `url` nor `sdl`: {EXPECTED}")


async def _ask(urls: Mapping[str, str]) -> dict[str, str]:
    """Ask subgraphs for their schemas, all at once (Apollo Federation, `_service`)."""
    client = HttpClient(TransportLimits())
    try:
        found = await asyncio.gather(*(_ask_one(client, name, url) for name, url in urls.items()))
    finally:
        client.close()
    return dict(zip(urls, found, strict=True))


async def _ask_one(client: HttpClient, name: str, url: str) -> str:
    try:
        fetcher = HttpFetcher(client, {name: Endpoint.parse(url)})
    except ValueError as error:
        raise BadInputError(f"subgraph `{name}` has no usable address: {error}") from error
    deadline = asyncio.get_running_loop().time() + SECONDS
    try:
        answer = await fetcher.fetch(FetchRequest(0, name, OperationKind.QUERY, _QUESTION, b"{}", deadline))
        sdl = msgspec.json.decode(answer.body)["data"]["_service"]["sdl"]
    except (CroceviaError, ValueError, LookupError, TypeError) as error:
        raise _untold(name, url) from error
    if not isinstance(sdl, str):
        raise _untold(name, url)
    return sdl


def _untold(name: str, url: str) -> NodeUnavailableError:
    question = "{ _service { sdl } }"
    return NodeUnavailableError(
        f"subgraph `{name}` at {url} does not answer `{question}`: start it, or name a file as its `sdl`"
    )
