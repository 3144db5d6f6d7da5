"""One demo federation of real processes for the whole session, and the command in this process."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

import crocevia
from federation.contract.languages import LANGUAGE_VARIABLE
from federation.demo.layout import Home
from tests.support import leaks
from tests.support.demo import (
    CITIZENS,
    Command,
    Ran,
    RunningDemo,
    demo_charter,
    found_with_members,
    free_ports,
    running,
)

if TYPE_CHECKING:
    from pathlib import Path


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything here needs the whole demo, and says so."""
    for item in items:
        if item.path.parent.name == "e2e":
            item.add_marker(pytest.mark.e2e)


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDemo]:
    """A founded and running federation. Tests ask it; none of them changes its files.

    Whatever they asked, no value of a citizen is left in a log, a ledger, or beside one (criterion S12).
    """
    home, ports = Home(tmp_path_factory.mktemp("demo")), free_ports()
    found_with_members(home, demo_charter(), ports, CITIZENS)
    with running(home, ports) as federation:
        yield federation
    assert leaks.in_home(home) == []


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """`crocevia` with arguments, in this process: the same `main` that the installed command runs."""
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv(LANGUAGE_VARIABLE, "")  # a command keeps its language there, and this process goes on

    def run(*arguments: str | Path) -> Ran:
        monkeypatch.setattr(sys, "argv", ["crocevia", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            crocevia.main()
        said = capsys.readouterr()
        return Ran(int(ended.value.code or 0), said.out, said.err)

    return run
