"""One execution of a plan: starts fetches as soon as what they need is there, and merges their answers into one tree.

(1) every fetch without parents is started at once; (2) an answer is decoded, merged, and starts the fetches that only
waited for it. `respond.py` reads the response out of the tree when nothing runs any more.

No task is made for a fetch whose fetcher returns a future: answers arrive by callback. Everything ends at the deadline,
and what still runs is cancelled then, or when the caller is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import msgspec

from federation.contract.errors import CroceviaError, NodeUnavailableError
from federation.execution.answer import MemberError, misbehaved, timed_out
from federation.execution.collect import Found, encoded_list, variables_json
from federation.execution.compiled import CompiledEntities, CompiledFetch, CompiledForm, Sets
from federation.execution.contexts import divide
from federation.execution.inputs import broken_fields, lost_reference, reached, without
from federation.execution.ports import (
    NOTHING_PASSED,
    Answered,
    EntityRouter,
    FetchAnswer,
    Fetcher,
    FetchRequest,
    KeyedRepresentation,
    OnAnswer,
    PassedOn,
    as_future,
)
from federation.execution.report import Messages
from federation.execution.retry import RetryBudget
from federation.planning.plan import OperationKind

_encode = msgspec.json.Encoder().encode


class Outside(msgspec.Struct, frozen=True):
    """What a request needs from outside: the fetcher, who translates keys, who is told how fetches ended.

    With `retries`, a query that found no connection is sent once more while the budget lasts. Nothing is ever sent
    twice at the same time: every request is a disclosure that a member records. `passed` goes with every request.
    """

    fetcher: Fetcher
    router: EntityRouter | None = None
    on_answer: OnAnswer | None = None
    messages: Messages = Messages.REDACT
    retries: RetryBudget | None = None
    passed: PassedOn = NOTHING_PASSED


SHORTEST_TIME_FOR_A_RETRY = 0.05
"""Seconds that must be left; with less, asking again only adds load."""


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
        self.fetches: Sequence[CompiledFetch] = form.fetches
        """The form's, but for a fetch with contexts that was sent: then the form of it for the sets of values found."""
        self.variables = variables
        self.outside = outside
        self._deadline = deadline
        self._loop = asyncio.get_running_loop()
        self.root = form.root()
        self.found: dict[int, list[Found]] = {}
        self.failures: dict[int, CroceviaError] = {}
        self.errors: list[tuple[int, list[MemberError]]] = []
        self.causes: set[int] = set()
        """Fetches that failed, or could not ask about an object because of one that did."""
        self.broken: set[tuple[int, str]] = set()
        """Fields that members reported errors for; see `inputs.py`."""
        self.void: set[tuple[int, str, int]] = set()
        """Entities that are null in an answer with errors: the fetch, the input's alias and the number."""
        self.empty: set[int] = set()
        """Fetches of which an answer with errors left nothing for some input; as good as failed."""
        self.judged = True
        """Whether decoders judged all nulls that pass as they are; else the response is read with null propagation."""
        self._shared: dict[int, Found] = {}
        self._open: dict[int, asyncio.Future[FetchAnswer]] = {}
        self._sent: dict[int, FetchRequest] = {}
        self._seeds: dict[int, FetchAnswer] = {}
        self._waiting: dict[int, int] = {}
        self._done: asyncio.Future[None] | None = None
        self._watched: list[tuple[set[int], asyncio.Future[None]]] = []

    def ended(self, orders: Iterable[int]) -> asyncio.Future[None]:
        """Return a future that is done when these fetches, among those that `fetch` is about to run, have ended."""
        future = self._loop.create_future()
        left = set(orders)
        if left:
            self._watched.append((left, future))
        else:
            future.set_result(None)
        return future

    def root_request(self, order: int) -> FetchRequest:
        """Return the request of a root fetch, for whoever opens a subscription with it."""
        return self._request(self.fetches[order], [], 0)

    def seed(self, order: int, answer: FetchAnswer) -> None:
        """Give the answer of a fetch that was made already, such as an event of a subscription."""
        self._seeds[order] = answer

    async def fetch(self, orders: Sequence[int]) -> None:
        """Run these fetches and return when all have ended, or the deadline has come."""
        chosen = set(orders)
        self._waiting = {order: len(chosen.intersection(self.fetches[order].parents)) for order in orders}
        self._done = self._loop.create_future()
        timer: asyncio.TimerHandle | None = None
        try:
            self._begin([order for order in orders if not self._waiting[order]])
            if self._waiting:
                timer = self._loop.call_at(self._deadline, self._out_of_time)
                await self._done
        finally:
            if timer is not None:
                timer.cancel()
            if self._open:
                self._cancel()

    # (1) starting

    def _begin(self, ready: list[int]) -> None:
        """Start fetches; one that has nothing to ask ends at once and may let others begin."""
        if ready:
            self._shared.clear()
        for order in ready:  # grows while it is walked
            pending = self._start(self.fetches[order])
            if pending is None:
                ready += self._end(order)
                self._shared.clear()
            else:
                self._open[order] = pending
                pending.add_done_callback(partial(self._arrived, order))
        if not self._waiting and self._done is not None and not self._done.done():
            self._done.set_result(None)

    def _start(self, fetch: CompiledFetch) -> asyncio.Future[FetchAnswer] | None:
        if self._seeds and (seed := self._seeds.pop(fetch.order, None)) is not None:
            self._absorb(fetch, seed)
            return None
        if not fetch.entities:
            return self._send(fetch, self._request(fetch, [], 0))
        if len(fetch.entities) == 1 and not fetch.routed and fetch.sets is None:
            return self._start_plain(fetch, fetch.entities[0])
        found = [self._collect(fetch.order, entity) for entity in fetch.entities]
        if fetch.sets is not None:
            fetch, found = self._in_sets(fetch, fetch.sets, found)
        self.found[fetch.order] = found
        count = sum(len(one.index) for one in found)
        if not count:
            return None
        if fetch.routed:
            return asyncio.ensure_future(self._route_and_send(fetch, found))
        lists = [entity.label + one.encoded for entity, one in zip(fetch.entities, found, strict=True)]
        lists += [given for one in found for given in one.given]
        return self._send(fetch, self._request(fetch, lists, count))

    def _start_plain(self, fetch: CompiledFetch, entity: CompiledEntities) -> asyncio.Future[FetchAnswer] | None:
        """Start what most fetches are: about one input, which goes as it was found."""
        found = self._collect(fetch.order, entity)
        self.found[fetch.order] = [found]
        if not found.index:
            return None
        return self._send(fetch, self._request(fetch, (entity.label + found.encoded,), len(found.index)))

    def _collect(self, order: int, entity: CompiledEntities) -> Found:
        """Find the entities of one input, or take what another input found since the tree last changed."""
        shared = self._shared.get(entity.sharing)
        if shared is not None:
            if shared.lost:
                self.causes.add(order)
            return shared
        found = Found()
        for target in entity.targets:
            target.collect(self.root, found.index, found.objects, found.numbers)
            found.ends.append(len(found.objects))
        if self.causes or self.broken:
            found = self._without_lost(entity, found)
            found.lost = found.lost or self._left_out(entity, found)
            if found.lost:
                self.causes.add(order)
        if not entity.routed:
            found.encoded = encoded_list(found.index)
            self._shared[entity.sharing] = found
        return found

    def _without_lost(self, entity: CompiledEntities, found: Found) -> Found:
        """Leave out the objects whose inputs were lost on the way."""
        kept: list[bool] = []
        start = 0
        for target, end in zip(entity.targets, found.ends, strict=True):
            kept += [
                not lost_reference(target.position, entity.wanted.references, value, self.causes, self.broken)
                for value in found.objects[start:end]
            ]
            start = end
        return found if all(kept) else without(found, kept)

    def _left_out(self, entity: CompiledEntities, found: Found) -> bool:
        """Say whether an object was passed over because its key was lost: it has a key, which nobody told."""
        asked = set(map(id, found.objects))
        return any(
            id(value) not in asked
            and lost_reference(target.position, entity.wanted.references, value, self.causes, self.broken)
            for target in entity.targets
            for value, _ in reached(self.root, target.path, ())
        )

    def _in_sets(self, fetch: CompiledFetch, sets: Sets, found: list[Found]) -> tuple[CompiledFetch, list[Found]]:
        """Divide what was found by the values that objects above give, and take the form for so many sets of them."""
        counts: list[int] = []
        divided: list[Found] = []
        for entity, one in zip(fetch.entities, found, strict=True):
            if entity.wanted.contexts is None:
                parts = [one]
            else:
                given = [target.given for target in entity.targets if target.given is not None]
                parts, lost = divide(one, given, self.root, entity.wanted.contexts, self.causes, self.broken)
                if lost:
                    self.causes.add(fetch.order)
                for part in parts:
                    part.encoded = b"" if entity.routed else encoded_list(part.index)
            counts.append(len(parts))
            divided += parts
        if not any(one.index for one in divided):
            return fetch, [Found() for _ in fetch.entities]
        form = replace(sets.form(tuple(counts)), parents=fetch.parents, dependants=fetch.dependants, chain=fetch.chain)
        self.fetches = [*self.fetches[: fetch.order], form, *self.fetches[fetch.order + 1 :]]
        return form, divided

    async def _route_and_send(self, fetch: CompiledFetch, found: list[Found]) -> FetchAnswer:
        """Have the representations translated, then send those that are left; none left is an empty answer."""
        router = self.outside.router
        assert router is not None, "a plan with routed types needs a router"
        lists: list[bytes] = []
        total = 0
        for entity, one in zip(fetch.entities, found, strict=True):
            if not entity.routed:
                total += len(one.index)
                lists += (entity.label + one.encoded, *one.given)
                continue
            keyed = [KeyedRepresentation(source, msgspec.json.decode(encoded)) for source, encoded in one.index]
            routed = await router.route(fetch.folded.member, keyed) if keyed else ()
            index: dict[bytes, int] = {}
            numbers = [-1 if item is None else index.setdefault(_encode(item), len(index)) for item in routed]
            one.numbers = [numbers[number] for number in one.numbers]
            one.index = index
            total += len(index)
            lists.append(entity.label + encoded_list(index))
            lists += one.given
        if not total:
            empty: dict[str, list[Any]] = {entity.wanted.alias: [] for entity in fetch.entities}
            return FetchAnswer(_encode({"data": empty}))
        return await self.outside.fetcher.fetch(self._request(fetch, lists, total))

    def _request(self, fetch: CompiledFetch, lists: Sequence[bytes], count: int) -> FetchRequest:
        """Build the request; a fetch with n steps after it may use one part in n + 1 of the time that is left.

        A variable that the client left out is left out here too.
        """
        now = self._loop.time()
        chosen: Sequence[bytes] = ()
        if fetch.labels:
            given = self.variables
            chosen = [label + _encode(given[name]) for name, label in fetch.labels if name in given]
        folded = fetch.folded
        deadline = now + (self._deadline - now) / fetch.chain
        variables = variables_json((*chosen, *lists, *fetch.idle))
        passed = self.outside.passed
        return FetchRequest(folded.id, folded.member, folded.kind, fetch.operation, variables, deadline, count, passed)

    def _send(self, fetch: CompiledFetch, request: FetchRequest) -> asyncio.Future[FetchAnswer] | None:
        retries = self.outside.retries
        if retries is not None and request.kind is OperationKind.QUERY:
            retries.earn()
            self._sent[fetch.order] = request
        try:
            return as_future(self.outside.fetcher.fetch(request))
        except CroceviaError as error:
            self._fail(fetch, error)
            return None

    def _send_again(self, fetch: CompiledFetch, error: BaseException) -> asyncio.Future[FetchAnswer] | None:
        """Send a query once more that found no connection, while there is time and budget."""
        request = self._sent.pop(fetch.order, None)
        retries = self.outside.retries
        if request is None or retries is None or not isinstance(error, NodeUnavailableError):
            return None
        if request.deadline - self._loop.time() < SHORTEST_TIME_FOR_A_RETRY or not retries.spend():
            return None
        try:
            return as_future(self.outside.fetcher.fetch(request))
        except CroceviaError:
            return None  # the breaker opened meanwhile: the first error stands

    # (2) arriving

    def _arrived(self, order: int, future: asyncio.Future[FetchAnswer]) -> None:
        if self._open.pop(order, None) is None:
            return  # cancelled: nobody waits for it
        fetch = self.fetches[order]
        try:
            error = timed_out(fetch.folded.member) if future.cancelled() else future.exception()
            if error is None:
                self._absorb(fetch, future.result())
            elif (again := self._send_again(fetch, error)) is not None:
                self._open[order] = again
                again.add_done_callback(partial(self._arrived, order))
                return
            elif isinstance(error, CroceviaError):
                self._fail(fetch, error)
            else:
                raise error  # noqa: TRY301  # see below
            ready = self._end(order)
            if ready or not self._waiting:
                self._begin(ready)
        except Exception as error:  # noqa: BLE001  # a callback has no caller: the defect is raised where the request is awaited
            if self._done is not None and not self._done.done():
                self._done.set_exception(error)

    def _end(self, order: int) -> list[int]:
        """Note that a fetch has ended; return the fetches that waited for nothing else."""
        self._waiting.pop(order, None)
        if self._watched:
            self._notify(order)
        ready: list[int] = []
        for child in self.fetches[order].dependants:
            if child in self._waiting:
                self._waiting[child] -= 1
                if self._waiting[child] == 0:
                    ready.append(child)
        return ready

    def _notify(self, order: int) -> None:
        for left, future in self._watched:
            left.discard(order)
            if not left and not future.done():
                future.set_result(None)

    def _absorb(self, fetch: CompiledFetch, answer: FetchAnswer) -> None:
        """Decode an answer and merge it, whole or not at all."""
        try:
            layers, judged = fetch.reading.read(fetch.folded.member, answer)
            if fetch.entities and layers[0].data is not None:
                self._check_counts(fetch, layers[0])
        except CroceviaError as error:
            self._fail(fetch, error)
            return
        whole = layers[0]
        self.judged = self.judged and judged
        if whole.errors:
            self.errors.append((fetch.order, whole.errors))
        if whole.data is not None:
            if fetch.merge_root is not None:
                fetch.merge_root(self.root, whole.data)
            else:
                self._merge_entities(fetch, layers)
        if whole.errors:
            self._note_errors(fetch, whole)
        if self.outside.on_answer is not None:
            extensions = whole.extensions if len(whole.extensions) else None
            self.outside.on_answer(Answered(fetch.folded.id, fetch.folded.member, extensions, None))

    def _note_errors(self, fetch: CompiledFetch, whole: Any) -> None:
        """Remember what is null because of a member's errors; one without a path may be why anything is."""
        for entity, found in zip(fetch.entities, self.found.get(fetch.order, ()), strict=True):
            values = None if whole.data is None else getattr(whole.data, entity.attribute)
            if values is None:
                self.empty.add(fetch.order)
                continue
            nulls = (number for number in range(len(found.index)) if values[number] is None)
            self.void.update((fetch.order, entity.wanted.alias, number) for number in nulls)
        if fetch.order in self.empty or not all(reported.path for reported in whole.errors):
            self.causes.add(fetch.order)
        for reported in whole.errors:
            self.broken.update(self.broken_by(fetch, reported))

    def broken_by(self, fetch: CompiledFetch, error: MemberError) -> Iterator[tuple[int, str]]:
        """Yield the fields of the merged tree that are null because of a member's error.

        All of an entity's are that is null itself: which one made it null does not matter.
        """
        path = error.path or []
        if not fetch.entities:
            yield from broken_fields(self.root, path)
            return
        for entity, found in zip(fetch.entities, self.found[fetch.order], strict=True):
            if path[:1] == [entity.wanted.alias]:
                for value, number in zip(found.objects, found.numbers, strict=True):
                    if path[1:2] != [number]:
                        continue
                    if (fetch.order, entity.wanted.alias, number) in self.void:
                        yield from ((id(value), wanted.key) for wanted in entity.wanted.selections)
                    else:
                        yield from broken_fields(value, path[2:])

    def _check_counts(self, fetch: CompiledFetch, whole: Any) -> None:
        """Insist on one entity or null for every representation (Apollo Federation, `_entities`)."""
        for entity, found in zip(fetch.entities, self.found[fetch.order], strict=True):
            entities = getattr(whole.data, entity.attribute)
            if len(entities) != len(found.index) if entities is not None else not whole.errors:
                raise misbehaved(fetch.folded.member)

    def _merge_entities(self, fetch: CompiledFetch, layers: list[Any]) -> None:
        for entity, found in zip(fetch.entities, self.found[fetch.order], strict=True):
            start = 0
            for target, end in zip(entity.targets, found.ends, strict=True):
                entities = getattr(layers[target.layer].data, entity.attribute)
                if entities is not None:
                    # The number of an object that was not sent is -1; so the last entity is made to be none.
                    last = [*entities, None]
                    if len(entity.targets) == 1:
                        target.merge(found.objects, found.numbers, last)
                    else:
                        target.merge(found.objects[start:end], found.numbers[start:end], last)
                start = end

    def _fail(self, fetch: CompiledFetch, error: CroceviaError) -> None:
        self.failures[fetch.order] = error
        self.causes.add(fetch.order)
        if self.outside.on_answer is not None:
            self.outside.on_answer(Answered(fetch.folded.id, fetch.folded.member, None, error))

    def _out_of_time(self) -> None:
        """End everything at the deadline; what was not even begun has no time left either."""
        for order in list(self._waiting):
            self._fail(self.fetches[order], timed_out(self.fetches[order].folded.member))
            self._notify(order)
        self._waiting.clear()
        self._cancel()
        if self._done is not None and not self._done.done():
            self._done.set_result(None)

    def _cancel(self) -> None:
        pending, self._open = self._open, {}
        for future in pending.values():
            future.cancel()
