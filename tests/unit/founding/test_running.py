"""A demo's folder belongs to one command at a time, and its ledgers go only when somebody says so."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from typer.testing import CliRunner

import crocevia
from federation.contract.errors import ConfigurationError
from federation.demo.layout import Home, Ports
from federation.demo.running import held
from tests.support.demo import demo_charter, found_with_members


def test_a_second_command_may_not_work_in_a_running_demos_folder(tmp_path: Path) -> None:
    home = Home(tmp_path / "demo")
    with held(home), pytest.raises(ConfigurationError, match=r"in use by a running demo.*--home"), held(home):
        pass
    with held(home):
        pass


def test_seeding_anew_is_refused_while_a_demo_runs(tmp_path: Path) -> None:
    with held(Home(tmp_path)):
        result = CliRunner().invoke(crocevia.app, ["demo", "seed", "--home", str(tmp_path), "--citizens", "10"])
    assert isinstance(result.exception, ConfigurationError)
    assert not (tmp_path / "citizens").exists()


def test_another_number_of_citizens_needs_to_be_asked_for_freshly(tmp_path: Path) -> None:
    (tmp_path / "citizens").write_text("200")
    with pytest.raises(ConfigurationError, match=r"holds 200 citizens: add --fresh"):
        found_with_members(Home(tmp_path), demo_charter(), Ports(8500), 300, fresh=False)


def test_what_a_command_writes_is_for_its_owner_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["crocevia", "demo", "seed", "--home", str(tmp_path / "d"), "--citizens", "10"])
    with pytest.raises(SystemExit):
        crocevia.main()
    files = [path for path in (tmp_path / "d").rglob("*") if path.is_file()]
    assert files
    assert [path for path in files if stat.S_IMODE(path.stat().st_mode) & 0o077] == []
