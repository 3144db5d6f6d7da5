"""One execution of a plan: starts fetches as soon as what they need is there, and merges their answers into one tree.

(1) every fetch without parents is started at once; (2) an answer is decoded, merged, and starts the fetches that only
waited for it. `respond.py` reads the response out of the tree when nothing runs any more.

No task is made for a fetch whose fetcher returns a future: answers arrive by callback. Everything ends at the deadline,
and what still runs is cancelled then, or when the caller is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import msgspec

from federation.contract.errors import CroceviaError
from federation.execution.answer import MemberError, misbehaved, read_answer, timed_out
from federation.execution.collect import Found, encoded_list, encoded_variables, variables_json
from federation.execution.compiled import CompiledEntities, CompiledFetch, CompiledForm
from federation.execution.ports import (
    Answered,
    EntityRouter,
    FetchAnswer,
    Fetcher,
    FetchRequest,
    KeyedRepresentation,
    OnAnswer,
)
from federation.execution.report import Messages

_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Outside:
    """What a request needs from outside: the fetcher, who translates keys, who is told how fetches ended."""

    fetcher: Fetcher
    router: EntityRouter | None = None
    on_answer: OnAnswer | None = None
    messages: Messages = Messages.REDACT


class Run:
    """The merged tree of one execution, what is still awaited, and how each fetch ended."""

    def __init__(
        self,
        form: CompiledForm,
        variables: Mapping[str, Any],
        outside: Outside,
        deadline: float,
    ) -> None:
        """Begin with an empty tree."""
        self.form = form
        self.variables = variables
        self.outside = outside
        self._deadline = deadline
        self._loop = asyncio.get_running_loop()
        self.root = form.root()
        self.found: dict[int, list[Found]] = {}
        self.failures: dict[int, CroceviaError] = {}
        self.errors: list[tuple[int, list[MemberError]]] = []
        self._ranges: dict[int, list[list[tuple[int, int]]]] = {}
        self._open: dict[int, asyncio.Future[FetchAnswer]] = {}
        self._seeds: dict[int, FetchAnswer] = {}
        self._waiting: dict[int, int] = {}
        self._done: asyncio.Future[None] | None = None

    def seed(self, order: int, answer: FetchAnswer) -> None:
        """Give the answer of a fetch that was made already, such as an event of a subscription."""
        self._seeds[order] = answer

    async def fetch(self, orders: Sequence[int]) -> None:
        """Run these fetches and return when all have ended, or the deadline has come."""
        chosen = set(orders)
        parents = {order: [above for above in self.form.fetches[order].parents if above in chosen] for order in orders}
        self._waiting = {order: len(above) for order, above in parents.items()}
        self._done = self._loop.create_future()
        timer: asyncio.TimerHandle | None = None
        try:
            self._begin([order for order in orders if not parents[order]])
            if self._waiting:
                timer = self._loop.call_at(self._deadline, self._out_of_time)
                await self._done
        finally:
            if timer is not None:
                timer.cancel()
            self._cancel()

    # (1) starting

    def _begin(self, orders: Iterable[int]) -> None:
        """Start fetches; one that has nothing to ask ends at once and may let others begin."""
        ready = list(orders)
        while ready:
            order = ready.pop(0)
            pending = self._start(self.form.fetches[order])
            if pending is None:
                ready += self._end(order)
            else:
                self._open[order] = pending
                pending.add_done_callback(partial(self._arrived, order))
        if not self._waiting and self._done is not None and not self._done.done():
            self._done.set_result(None)

    def _start(self, fetch: CompiledFetch) -> asyncio.Future[FetchAnswer] | None:
        seed = self._seeds.pop(fetch.order, None)
        if seed is not None:
            self._absorb(fetch, seed)
            return None
        if not fetch.entities:
            return self._send(fetch, self._request(fetch, [], 0))
        found = self._collect(fetch)
        if not any(one.index for one in found):
            return None
        if self.outside.router is not None:
            return asyncio.ensure_future(self._route_and_send(fetch, self.outside.router, found))
        lists = [
            (entity.wanted.variable, encoded_list(one.index)) for entity, one in zip(fetch.entities, found, strict=True)
        ]
        return self._send(fetch, self._request(fetch, lists, sum(len(one.index) for one in found)))

    def _collect(self, fetch: CompiledFetch) -> list[Found]:
        """Find the entities of a fetch; `_ranges` keeps which stretch of the objects belongs to which target."""
        self.found[fetch.order] = all_found = []
        self._ranges[fetch.order] = all_ranges = []
        for entity in fetch.entities:
            found = Found()
            ranges: list[tuple[int, int]] = []
            for target in entity.targets:
                start = len(found.objects)
                target.collect(self.root, found.index, found.objects, found.numbers)
                ranges.append((start, len(found.objects)))
            all_found.append(found)
            all_ranges.append(ranges)
        return all_found

    async def _route_and_send(self, fetch: CompiledFetch, router: EntityRouter, found: list[Found]) -> FetchAnswer:
        """Have the representations translated, then send those that are left; none left is an empty answer."""
        lists: list[tuple[str, bytes]] = []
        total = 0
        for entity, one in zip(fetch.entities, found, strict=True):
            keyed = [KeyedRepresentation(source, msgspec.json.decode(encoded)) for source, encoded in one.index]
            routed = await router.route(fetch.folded.member, keyed) if keyed else ()
            index: dict[bytes, int] = {}
            numbers = [-1 if item is None else index.setdefault(_encode(item), len(index)) for item in routed]
            one.numbers = [numbers[number] for number in one.numbers]
            one.index = index
            total += len(index)
            lists.append((entity.wanted.variable, encoded_list(index)))
        if not total:
            empty: dict[str, list[Any]] = {entity.wanted.alias: [] for entity in fetch.entities}
            return FetchAnswer(_encode({"data": empty}))
        return await self.outside.fetcher.fetch(self._request(fetch, lists, total))

    def _request(self, fetch: CompiledFetch, lists: list[tuple[str, bytes]], count: int) -> FetchRequest:
        """Build the request; a fetch with n steps after it may use one part in n + 1 of the time that is left."""
        now = self._loop.time()
        chosen = encoded_variables(fetch.folded.variables, self.variables)
        chosen += lists
        chosen += [(name, b"[]") for name in fetch.folded.idle_variables]
        return FetchRequest(
            fetch_id=fetch.folded.id,
            member=fetch.folded.member,
            kind=fetch.folded.kind,
            operation=fetch.operation,
            variables=variables_json(chosen),
            deadline=now + (self._deadline - now) / fetch.chain,
            representations=count,
        )

    def _send(self, fetch: CompiledFetch, request: FetchRequest) -> asyncio.Future[FetchAnswer] | None:
        try:
            return asyncio.ensure_future(self.outside.fetcher.fetch(request))
        except CroceviaError as error:
            self._fail(fetch, error)
            return None

    # (2) arriving

    def _arrived(self, order: int, future: asyncio.Future[FetchAnswer]) -> None:
        if self._open.pop(order, None) is None:
            return  # cancelled: nobody waits for it
        try:
            self._settle(self.form.fetches[order], future)
            self._begin(self._end(order))
        except Exception as error:  # noqa: BLE001  # a callback has no caller: the defect is raised where the request is awaited
            if self._done is not None and not self._done.done():
                self._done.set_exception(error)

    def _settle(self, fetch: CompiledFetch, future: asyncio.Future[FetchAnswer]) -> None:
        if future.cancelled():
            self._fail(fetch, timed_out(fetch.folded.member))
            return
        error = future.exception()
        if error is None:
            self._absorb(fetch, future.result())
        elif isinstance(error, CroceviaError):
            self._fail(fetch, error)
        else:
            raise error

    def _end(self, order: int) -> list[int]:
        """Note that a fetch has ended; return the fetches that waited for nothing else."""
        self._waiting.pop(order, None)
        ready = []
        for child in self.form.fetches[order].dependants:
            if child in self._waiting:
                self._waiting[child] -= 1
                if self._waiting[child] == 0:
                    ready.append(child)
        return ready

    def _absorb(self, fetch: CompiledFetch, answer: FetchAnswer) -> None:
        """Decode an answer and merge it, whole or not at all."""
        member = fetch.folded.member
        try:
            decoded = read_answer(member, fetch.decoder, answer)
            layers = [
                self._layers(fetch, entity, decoded, answer, number) for number, entity in enumerate(fetch.entities)
            ]
        except CroceviaError as error:
            self._fail(fetch, error)
            return
        if decoded.errors:
            self.errors.append((fetch.order, decoded.errors))
        if decoded.data is not None:
            if fetch.merge_root is not None:
                fetch.merge_root(self.root, decoded.data)
            for number, entity in enumerate(fetch.entities):
                self._merge_entities(fetch, entity, number, layers[number])
        if self.outside.on_answer is not None:
            extensions = decoded.extensions if len(decoded.extensions) else None
            self.outside.on_answer(Answered(fetch.folded.id, member, extensions, None))

    def _layers(
        self, fetch: CompiledFetch, entity: CompiledEntities, decoded: Any, answer: FetchAnswer, number: int
    ) -> list[list[Any]]:
        """Return the entities of one input, decoded once for each position they go to."""
        if decoded.data is None:
            return []
        member = fetch.folded.member
        decodings = [decoded, *(read_answer(member, decoder, answer) for decoder in entity.layers)]
        lists = [getattr(decoding.data, entity.attribute) for decoding in decodings]
        if lists[0] is None and not decoded.errors:
            raise misbehaved(member)
        if lists[0] is not None and len(lists[0]) != len(self.found[fetch.order][number].index):
            raise misbehaved(member)
        return [one for one in lists if one is not None]

    def _merge_entities(
        self, fetch: CompiledFetch, entity: CompiledEntities, number: int, layers: list[list[Any]]
    ) -> None:
        if not layers:
            return
        found = self.found[fetch.order][number]
        for target, (start, end) in zip(entity.targets, self._ranges[fetch.order][number], strict=True):
            entities = layers[target.layer]
            merge = target.merge
            for here in range(start, end):
                place = found.numbers[here]
                if place >= 0 and (answered := entities[place]) is not None:
                    merge(found.objects[here], answered)

    def _fail(self, fetch: CompiledFetch, error: CroceviaError) -> None:
        self.failures[fetch.order] = error
        if self.outside.on_answer is not None:
            self.outside.on_answer(Answered(fetch.folded.id, fetch.folded.member, None, error))

    def _out_of_time(self) -> None:
        """End everything at the deadline; what was not even begun has no time left either."""
        for order in list(self._waiting):
            self._fail(self.form.fetches[order], timed_out(self.form.fetches[order].folded.member))
        self._waiting.clear()
        self._cancel()
        if self._done is not None and not self._done.done():
            self._done.set_result(None)

    def _cancel(self) -> None:
        pending, self._open = self._open, {}
        for future in pending.values():
            future.cancel()
