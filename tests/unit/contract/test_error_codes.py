"""The list of codes in docs/errors.md is closed and complete: every refusal of every room stands in it."""

import importlib
import inspect
import pkgutil
from pathlib import Path

import federation
import node
from federation.contract.errors import CroceviaError

DOCUMENT = Path(__file__).parents[3] / "docs" / "errors.md"


def every_error(base: type[CroceviaError]) -> list[type[CroceviaError]]:
    return [base, *(found for child in base.__subclasses__() for found in every_error(child))]


def codes() -> dict[str, tuple[int, str]]:
    """Return status and meaning by code, from the classes themselves."""
    for package in (federation, node):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.endswith("__main__"):
                importlib.import_module(module.name)
    found: dict[str, tuple[int, str]] = {}
    for error in every_error(CroceviaError):
        if error is not CroceviaError and error.__module__.split(".")[0] in {"federation", "node"}:
            meaning = " ".join((inspect.getdoc(error) or "").split("\n\n")[0].split())
            found.setdefault(error.code, (int(error.status), meaning))
    return found


def table() -> str:
    rows = (f"| `{code}` | {status} | {meaning} |" for code, (status, meaning) in sorted(codes().items()))
    return "\n".join(["| Code | HTTP | Meaning |", "|---|---|---|", *rows])


def test_every_code_is_documented_with_its_status_and_meaning() -> None:
    assert table() in DOCUMENT.read_text(encoding="utf-8"), f"docs/errors.md should hold:\n\n{table()}\n"
