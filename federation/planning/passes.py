"""Stage 6, passes over the fetch graph, repeated until none of them changes anything.

Requests are joined only when neither waits for the other, when they go to the same subgraph, and when no other request
has to begin later because of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from federation.planning.fetches import fold
from federation.planning.fieldsets import printed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from federation.planning.fetches import Request, Use
    from federation.planning.tree import Input

Requests = list["Request"]


def run(requests: Requests) -> Requests:
    """Apply every pass until nothing changes, and return the requests in topological order."""
    changed = True
    while changed:
        changed = any(one_pass(requests) for one_pass in PASSES)
    return in_order(requests)


def merge_siblings(requests: Requests) -> bool:
    """Join requests of one subgraph that can begin at the same time: several entities and paths, one request."""
    levels = levels_of(requests)
    first: dict[tuple[object, ...], Request] = {}
    changed = False
    for request in list(requests):
        # INVARIANT: of two requests at one level neither waits for the other.
        one = first.setdefault((*_kind(request), levels[request.number]), request)
        if one is not request:
            _join(requests, one, request)
            changed = True
    return changed


def sink_into_later(requests: Requests) -> bool:
    """Join a request into a later one of the same subgraph when nothing that comes before the later one needs it."""
    levels = levels_of(requests)
    waiting = _dependants(requests)

    def nobody_waits(one: Request, other: Request) -> bool:
        early, late = sorted((one, other), key=lambda found: levels[found.number])
        if early.is_root or late.is_root:
            return False
        return all(levels[number] > levels[late.number] for number in waiting[early.number])

    return _join_first(requests, nobody_waits)


def drop_transitive(requests: Requests) -> bool:
    """Forget a dependency that another dependency implies."""
    by_number = {request.number: request for request in requests}
    before = {request.number: _ancestors(request, by_number) for request in requests}
    changed = False
    for request in requests:
        implied = {number for number in request.after if any(number in before[other] for other in request.after)}
        if implied:
            request.after -= implied
            changed = True
    return changed


def fold_entries(requests: Requests) -> bool:
    """Ask once for the same objects with the same inputs.

    Entries with other inputs stay apart: an input that is lost on the way must cost only the fields that require it.
    """
    changed = False
    for request in requests:
        kept: list[Use] = []
        for use in request.uses:
            match = next((one for one in kept if _alike(one, use)), None)
            if match is None:
                kept.append(use)
            else:
                fold(match, use)
                changed = True
        request.uses = kept
    return changed


def _alike(one: Use, other: Use) -> bool:
    """Tell whether two entries are about the same objects, with the same inputs."""
    left, right = one.jump, other.jump
    same = left.node is right.node and left.known_as == right.known_as and one.types == other.types
    if not same or one.guard != other.guard or left.node.parent is None or left.contexts != right.contexts:
        return False
    if printed(left.key) != printed(right.key) or _read(left.by) != _read(right.by):
        return False
    return _read(left.inputs) == _read(right.inputs)


def _read(inputs: Iterable[Input]) -> frozenset[object]:
    """Return what tells representations apart: the values in them and where those are read, not how they were found."""
    return frozenset((one.name, one.entry.node.place, one.entry.source, one.on, _read(one.children)) for one in inputs)


PASSES: tuple[Callable[[Requests], bool], ...] = (
    merge_siblings,
    sink_into_later,
    drop_transitive,
    fold_entries,
)


def levels_of(requests: Requests) -> dict[int, int]:
    """Return the length of the longest chain to each request."""
    by_number = {request.number: request for request in requests}
    levels: dict[int, int] = {}

    def level(request: Request) -> int:
        found = levels.get(request.number)
        if found is None:
            found = levels[request.number] = 1 + max((level(by_number[one]) for one in request.after), default=0)
        return found

    for request in requests:
        level(request)
    return levels


def in_order(requests: Requests) -> Requests:
    """Sort by step and level, so that every request stands after those it waits for."""
    levels = levels_of(requests)
    return sorted(requests, key=lambda request: (levels[request.number], request.number))


def _join_first(requests: Requests, allowed: Callable[[Request, Request], bool]) -> bool:
    for one, other in _pairs(requests):
        if allowed(one, other):
            _join(requests, one, other)
            return True
    return False


def _kind(request: Request) -> tuple[object, ...]:
    """Return what two requests must have in common to be joined."""
    return (request.subgraph, request.step, request.block, request.is_root)


def _pairs(requests: Requests) -> Iterator[tuple[Request, Request]]:
    """Yield requests of one kind to one subgraph, neither of which waits for the other."""
    by_number = {request.number: request for request in requests}
    groups: dict[tuple[object, ...], list[Request]] = {}
    for request in requests:
        groups.setdefault(_kind(request), []).append(request)
    for group in groups.values():
        before = {request.number: _ancestors(request, by_number) for request in group}
        for index, one in enumerate(group):
            for other in group[index + 1 :]:
                if one.number not in before[other.number] and other.number not in before[one.number]:
                    yield one, other


def _join(requests: Requests, one: Request, other: Request) -> None:
    """Put the uses of `other` into `one`."""
    one.uses.extend(other.uses)
    one.after |= other.after
    requests.remove(other)
    for request in requests:
        if other.number in request.after:
            request.after.discard(other.number)
            request.after.add(one.number)


def _dependants(requests: Requests) -> dict[int, set[int]]:
    found: dict[int, set[int]] = {request.number: set() for request in requests}
    for request in requests:
        for number in request.after:
            found[number].add(request.number)
    return found


def _ancestors(request: Request, by_number: dict[int, Request]) -> set[int]:
    found: set[int] = set()
    todo = list(request.after)
    while todo:
        number = todo.pop()
        if number not in found:
            found.add(number)
            todo.extend(by_number[number].after)
    return found
