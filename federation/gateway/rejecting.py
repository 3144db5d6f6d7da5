"""`onDenied: reject`: one denied field, at whichever member, and the consumer gets nothing but the denied places.

A member that denies a field refuses its whole part, so that nothing of it leaves, and says which it denies.
"""

from __future__ import annotations

from collections.abc import Awaitable, Iterator
from dataclasses import dataclass, field

import msgspec

from federation.contract.errors import FieldDeniedError
from federation.execution.ports import FetchAnswer, Fetcher, FetchRequest
from federation.execution.respond import Response

DENIED = FieldDeniedError("the field is denied for this purpose")
"""The same words for every denied field."""

_REFUSED = 403


class _Said(msgspec.Struct, frozen=True):
    code: str = ""
    coordinates: tuple[str, ...] = ()


class _Error(msgspec.Struct, frozen=True):
    extensions: _Said = _Said()


class _Refusal(msgspec.Struct, frozen=True):
    errors: tuple[_Error, ...] = ()


@dataclass(slots=True)
class NotedDenials:
    """A fetcher that keeps what members refuse because of denied fields: coordinates by member."""

    inner: Fetcher
    denied: dict[str, set[str]] = field(default_factory=dict)

    def fetch(self, request: FetchRequest) -> Awaitable[FetchAnswer]:
        """Fetch, and note a refusal. See `Fetcher`."""
        return self._noted(request)

    async def _noted(self, request: FetchRequest) -> FetchAnswer:
        answer = await self.inner.fetch(request)
        if answer.status == _REFUSED:
            for said in _read(answer.body):
                if said.code == FieldDeniedError.code:
                    self.denied.setdefault(request.member, set()).update(said.coordinates)
        return answer

    def rejected(self, response: Response) -> Response:
        """Return the response as it is if nothing is denied; else without data, with every place that is.

        Places stand without list positions: there are no data that they could point into.
        """
        places = dict.fromkeys(self._places(response))
        if not places:
            return response
        others = [error for error in response.errors if error.get("extensions", {}).get("code") != DENIED.code]
        return Response(None, [*(DENIED.graphql([*place]) for place in places), *others], response.provenance)

    def _places(self, response: Response) -> Iterator[tuple[str, ...]]:
        for supplied in response.provenance:
            if any(supplied.coordinate in self.denied.get(member, ()) for member in supplied.members):
                yield supplied.path
        for error in response.errors:
            said = error.get("extensions", {})
            if said.get("code") == DENIED.code and said.get("member") not in self.denied:
                yield tuple(key for key in error.get("path", ()) if isinstance(key, str))


def _read(body: bytes) -> Iterator[_Said]:
    try:
        found = msgspec.json.decode(body, type=_Refusal)
    except msgspec.MsgspecError:
        return  # the executor says of the member what this is
    yield from (error.extensions for error in found.errors)
