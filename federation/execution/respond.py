"""Reads the response out of the merged tree of a finished run, and places its errors."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import msgspec

from federation.execution.answer import MemberError
from federation.execution.codegen import attribute
from federation.execution.compiled import CompiledFetch, Supplied
from federation.execution.complete import Reason, ResponsePath, complete
from federation.execution.inputs import Broken, lost_reference
from federation.execution.output import OutField, OutNode
from federation.execution.places import follow, missing, places
from federation.execution.project import Bail
from federation.execution.report import ErrorReport, distinct
from federation.execution.run import Run

_encode = msgspec.json.Encoder().encode


class Response(msgspec.Struct, frozen=True):
    """The answer to a client: `data` is ready to be encoded as JSON, `errors` are GraphQL error entries."""

    data: Any
    errors: list[dict[str, Any]]
    provenance: tuple[Supplied, ...]

    def encode(self, extensions: Mapping[str, Any] | None = None) -> bytes:
        """Return the response as JSON; `errors` and `extensions` are left out when there are none."""
        parts = [b'{"data":', _encode(self.data)]
        if self.errors:
            parts += [b',"errors":', _encode(self.errors)]
        if extensions:
            parts += [b',"extensions":', _encode(extensions)]
        return b"".join((*parts, b"}"))


def respond(run: Run, introspection: Mapping[str, Any]) -> Response:
    """Return the response of a run that has ended; `introspection` holds the root's `__schema` and `__type` fields."""
    form = run.form
    for name, value in introspection.items():
        if name in form.node.position.slots:
            setattr(run.root, attribute(name), value)
    report = ErrorReport(run.outside.messages)
    if run.failures or run.errors:
        report_fetches(run, report, range(len(run.fetches)))
    if form.project is not None and run.judged and not introspection:
        try:
            return Response(form.project(run.root), report.entries, form.provenance)
        except Bail:
            pass  # something is wrong with the tree: read it again, with paths and errors
    data = complete(form.node, run.root, partial(field_error, run, report))
    if data is not None:
        for name, value in introspection.items():
            data.setdefault(name, value)  # fields that the plan's response does not place come last
    return Response(data, report.entries, form.provenance)


def report_fetches(run: Run, report: ErrorReport, orders: Container[int]) -> None:
    """Report what failed as a whole, and what members reported, of these fetches."""
    for order, failure in sorted(run.failures.items(), key=lambda item: item[0]):
        fetch = run.fetches[order]
        affected = distinct(_affected(run, fetch)) if order in orders else []
        if order in orders and (affected or not fetch.entities or order in run.found):
            report.failed_fetch(failure, fetch.folded.member, affected)
    for order, errors in run.errors:
        if order in orders:
            for error in errors:
                _place(run, report, run.fetches[order], error)


def _place(run: Run, report: ErrorReport, fetch: CompiledFetch, error: MemberError) -> None:
    """Report a member's error at every place it is about; without a path, or without data, that is the whole fetch.

    Fields that other members could not be asked for, because this one was an input of theirs, are places of it too.
    """
    if error.path and fetch.order not in run.empty:
        broken = set(run.broken_by(fetch, error))
        located = [*_located(run, fetch, error.path), *_blocked(run, fetch, set(), broken)]
        report.member_error(error, fetch.folded.member, distinct(located))
    else:
        report.member_failure(error, fetch.folded.member, distinct(_affected(run, fetch)))


def _located(run: Run, fetch: CompiledFetch, path: Sequence[str | int]) -> Iterator[ResponsePath]:
    """Rewrite a member's error path to the response: `[_entities, i, ...]` to every place of representation i."""
    if not fetch.entities:
        yield from follow(run.form.whole, run.root, path, ())
        return
    alias, index, rest = path[0], path[1] if len(path) > 1 else None, path[2:]
    for entity, found in zip(fetch.entities, run.found[fetch.order], strict=True):
        if entity.wanted.alias != alias:
            continue
        about = {
            id(value): (fetch.order, alias, number) in run.void
            for value, number in zip(found.objects, found.numbers, strict=True)
            if index is None or number == index
        }
        for target in entity.targets:
            for value, node, at in places(run.form.whole, run.root, target.path):
                if id(value) not in about:
                    continue
                # Of an entity that is null itself every field is lost, though its object may hold others' fields.
                lost = list(missing(node, value, entity.wanted.selections, at)) if about[id(value)] else []
                if rest or not lost:
                    yield from follow(node, value, rest, at)
                yield from lost


def _affected(run: Run, fetch: CompiledFetch) -> Iterator[ResponsePath]:
    """Yield the places that are null because a fetch failed, here or in fetches that needed what it would bring."""
    yield from missing(run.form.whole, run.root, fetch.folded.selections, ())
    # The form that was sent lacks the inputs of which all values from objects above were lost.
    for entity in run.form.fetches[fetch.order].entities:
        for target in entity.targets:
            for value, node, at in places(run.form.whole, run.root, target.path):
                yield from missing(node, value, entity.wanted.selections, at)
    yield from _blocked(run, fetch, {fetch.order}, frozenset())


def _blocked(run: Run, fetch: CompiledFetch, causes: set[int], broken: Broken) -> Iterator[ResponsePath]:
    """Yield the places of later fetches that could not ask about an object, because its inputs were lost."""
    for later in run.form.fetches[fetch.order + 1 :]:
        for entity in later.entities:
            for target in entity.targets:
                above = {} if target.given is None else target.given.above(run.root)
                for value, node, at in places(run.form.whole, run.root, target.path):
                    lost = lost_reference(target.position, entity.wanted.references, value, causes, broken)
                    if lost or (target.given is not None and target.given.is_lost(above[id(value)], causes, broken)):
                        causes.add(later.order)
                        yield from missing(node, value, entity.wanted.selections, at)


def field_error(
    run: Run, report: ErrorReport, node: OutNode, field: OutField, path: ResponsePath, reason: Reason
) -> None:
    """Report a field of the response that has no usable value, with the member that should have supplied it."""
    slot = None if field.source is None else node.position.slots.get(field.source)
    writers = () if slot is None else slot.writers
    members = distinct_members(run, writers)
    report.field(node, field, path, reason, members)


def distinct_members(run: Run, writers: Sequence[int]) -> list[str]:
    """Return the members of these fetches, each once."""
    return list(dict.fromkeys(run.fetches[writer].folded.member for writer in writers))
