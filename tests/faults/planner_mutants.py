"""How good the planner's tests are: one small defect at a time in `federation/planning`, and who notices it.

    python tests/faults/planner_mutants.py [--count 200] [--seed 1] [--worlds 20] [--only FILE …]

A mutant differs from the planner in one place: a comparison or an operator is another one, a condition always holds or
never does, a number is one more, `True` is `False`, a function returns nothing, a statement is gone. Each runs in a
process of its own against `tests/unit/planning`, then the plans of the public audit, then *federated = monolith* over
some fixed worlds; the first that fails has noticed it, and so has the limit on processor time. Survivors are printed,
with what was changed; many of them mean the same or only cost time, which is for a reader to say.
"""

from __future__ import annotations

import argparse
import ast
import copy
import io
import os
import resource
import signal
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass
from importlib.machinery import SourceFileLoader
from pathlib import Path
from random import Random
from typing import Any

import graphql  # noqa: F401  # known to all children, and no part of what is mutated
import pytest
from hypothesis.errors import UnsatisfiedAssumption
from typing_extensions import override

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY))

PACKAGE = REPOSITORY / "federation" / "planning"
STAGES = {"unit tests": ("tests/unit/planning",), "plans of the audit": ("tests/conformance/test_planning_audit.py",)}
MONOLITH = "federated = monolith"
SURVIVED = "survived"
SECONDS = 120
"""Processor time for all stages of one mutant; without a defect they need about 12."""

SWAPPED: dict[type[ast.AST], type[ast.AST]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.And: ast.Or,
    ast.Or: ast.And,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Break: ast.Continue,
    ast.Continue: ast.Break,
}
_ALWAYS = ast.Constant(value=True)
_NEVER = ast.Constant(value=False)


@dataclass(frozen=True, slots=True)
class Mutant:
    """One defect: the file, the line, what kind it is, and both texts of what it changes."""

    file: Path
    line: int
    kind: str
    before: str
    after: str
    source: str

    @override
    def __str__(self) -> str:
        changed = f"\n    + {self.after}" if self.after != self.before else ""
        return f"{self.file.name}:{self.line} {self.kind}\n    - {self.before}{changed}"


def mutants(file: Path) -> Iterator[Mutant]:
    """Yield every mutant of a file."""
    tree = ast.parse(file.read_text())
    for place, (node, kind, _) in enumerate(_edits(tree)):
        changed = copy.deepcopy(tree)
        before = ast.unparse(node)
        mutated, _, edit = list(_edits(changed))[place]
        edit()
        after = ast.unparse(mutated)
        yield Mutant(file, node.lineno, kind, _first(before), _first(after), ast.unparse(changed))


def _first(text: str) -> str:
    return text if len(text) < 160 else f"{text[:160]}…"


def _edits(tree: ast.AST) -> Iterator[tuple[ast.expr | ast.stmt, str, Callable[[], None]]]:
    """Yield what can be changed, always in the same order: the node, the kind of change, and how it is made."""
    skipped = set(_skipped(tree))
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        match node:
            case ast.Compare(ops=ops):
                for place, op in enumerate(ops):
                    if type(op) in SWAPPED:
                        yield node, "comparison", _put(ops, place, SWAPPED[type(op)]())
            case ast.BoolOp(op=op) | ast.BinOp(op=op) | ast.AugAssign(op=op) if type(op) in SWAPPED:
                yield node, "operator", _set(node, "op", SWAPPED[type(op)]())
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                yield node, "negation", _become(node, ast.Call(ast.Name("bool", ast.Load()), [operand], []))
            case ast.Constant(value=bool() as value):
                yield node, "constant", _set(node, "value", not value)
            case ast.Constant(value=int() as value):
                yield node, "constant", _set(node, "value", value + 1)
            case ast.Return(value=value) if value is not None and not _is_none(value):
                yield node, "return", _set(node, "value", ast.Constant(None))
            case ast.If(test=test) | ast.IfExp(test=test):
                yield test, "condition holds", _set(node, "test", _ALWAYS)
                yield test, "condition fails", _set(node, "test", _NEVER)
            case ast.comprehension(ifs=[_, *_] as ifs):
                yield ifs[0], "condition holds", _put(ifs, 0, _ALWAYS)
            case _:
                pass
        for body in (getattr(node, "body", []), getattr(node, "orelse", [])):
            for place, statement in enumerate(body if isinstance(body, list) else ()):
                if isinstance(statement, ast.Expr) and not isinstance(statement.value, ast.Constant):
                    yield statement, "statement gone", _put(body, place, ast.Pass())
                if isinstance(statement, ast.Break | ast.Continue):
                    yield statement, "loop", _put(body, place, SWAPPED[type(statement)]())


def _skipped(tree: ast.AST) -> Iterator[int]:
    """Yield what says nothing at run time: annotations, and imports for them."""
    for node in ast.walk(tree):
        quiet: list[ast.AST | None] = []
        match node:
            case ast.If(test=ast.Name(id="TYPE_CHECKING")):
                quiet = [node]
            case ast.FunctionDef(returns=returns, decorator_list=decorators):
                quiet = [returns, *decorators]
            case ast.arg(annotation=annotation) | ast.AnnAssign(annotation=annotation):
                quiet = [annotation]
            case ast.ClassDef(decorator_list=decorators):
                quiet = [*decorators]
            case _:
                pass
        for one in quiet:
            if one is not None:
                yield from map(id, ast.walk(one))


def _is_none(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and value.value is None


def _set(node: ast.AST, name: str, value: Any) -> Callable[[], None]:
    return lambda: setattr(node, name, value)


def _put(values: list[Any], place: int, value: Any) -> Callable[[], None]:
    return lambda: values.__setitem__(place, value)


def _become(node: ast.UnaryOp, other: ast.expr) -> Callable[[], None]:
    def edit() -> None:
        node.operand = ast.UnaryOp(ast.Not(), other)

    return edit


def fate(mutant: Mutant | None, worlds: int) -> str:
    """Return who notices a mutant; the planner's own tests run in a process forked for it."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
        with io.StringIO() as nowhere, redirect_stdout(nowhere), redirect_stderr(nowhere):
            try:
                found = _noticed(mutant, worlds)
            except BaseException as error:  # noqa: BLE001  # whatever a defect does at import time notices it
                found = f"import: {type(error).__name__}"
        os.write(writing, found.encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        told = pipe.read()
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return "time" if os.WTERMSIG(status) in (signal.SIGXCPU, signal.SIGKILL) else "crash"
    return told


def _noticed(mutant: Mutant | None, worlds: int) -> str:
    if mutant is not None:
        _plant(mutant)
    options = ["-x", "-q", "-p", "no:cacheprovider", "-W", "ignore::pytest.PytestAssertRewriteWarning"]
    for name, paths in STAGES.items():
        if pytest.main([*options, *(str(REPOSITORY / path) for path in paths)]):
            return name
    return SURVIVED if _monolith(worlds) else MONOLITH


def _plant(mutant: Mutant) -> None:
    """Let imports find the mutant's source in place of its file's."""

    class Planted(SourceFileLoader):
        @override
        def get_code(self, fullname: str) -> Any:
            return compile(mutant.source, str(mutant.file), "exec")

    class Finder:
        @staticmethod
        def find_spec(fullname: str, _path: object = None, _target: object = None) -> Any:
            if fullname != f"federation.planning.{mutant.file.stem}":
                return None
            from importlib.util import spec_from_file_location  # noqa: PLC0415  # only where something is planted

            return spec_from_file_location(fullname, mutant.file, loader=Planted(fullname, str(mutant.file)))

    sys.meta_path.insert(0, Finder)


def _monolith(worlds: int) -> bool:
    """Say whether some worlds, always the same ones, answer as their merged schemas do."""
    from tests.property import test_delivery_monolith, test_planning_monolith  # noqa: PLC0415  # after planting

    plain = _inner(test_planning_monolith.test_a_plan_answers_as_the_merged_schema_does)
    nulls = _inner(test_planning_monolith.test_objects_of_which_some_keys_are_null_answer_as_the_merged_schema_does)
    owning = _inner(test_planning_monolith.test_entities_that_own_each_other_answer_as_the_merged_schema_does)
    parts = _inner(test_delivery_monolith.test_deferred_fragments_together_are_what_the_merged_schema_answers)
    events = _inner(test_delivery_monolith.test_every_event_is_what_the_merged_schema_says_at_that_moment)
    try:
        for seed in range(worlds):
            prefix = (None, "_k_")[seed % 2]
            plain(seed, prefix)
            parts(seed)
            if seed % 2 == 0:
                nulls(seed)
            if seed % 4 == 0:
                events(seed)
                with suppress(UnsatisfiedAssumption):  # such entities may own each other without an answer
                    owning(seed, prefix)
    except Exception:  # noqa: BLE001  # whatever it is, it notices the mutant
        return False
    return True


def _inner(test: Any) -> Callable[..., None]:
    found: Callable[..., None] = test.hypothesis.inner_test
    return found


def main() -> None:
    """Draw mutants, and count who noticed them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--worlds", type=int, default=20)
    parser.add_argument("--only", nargs="*", default=[])
    arguments = parser.parse_args()
    if (found := fate(None, arguments.worlds)) != SURVIVED:
        raise SystemExit(f"without a defect the tests fail: {found}")
    files = [file for file in sorted(PACKAGE.glob("*.py")) if not arguments.only or file.name in arguments.only]
    everything = [mutant for file in files for mutant in mutants(file)]
    chosen = Random(arguments.seed).sample(everything, min(arguments.count, len(everything)))
    counts: Counter[str] = Counter()
    for mutant in chosen:
        found = fate(mutant, arguments.worlds)
        counts[found.partition(":")[0]] += 1
        if found == SURVIVED:
            print(f"{mutant}", flush=True)
        elif sys.stderr.isatty():
            print(f"\r{sum(counts.values())} of {len(chosen)}", end="", file=sys.stderr)
    noticed = sum(counts.values()) - counts[SURVIVED]
    print(f"{noticed} of {len(chosen)} mutants noticed, of {len(everything)} possible: {dict(counts.most_common())}")


if __name__ == "__main__":
    main()
