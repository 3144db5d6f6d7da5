"""A process that cannot work refuses to start: one line that names the thing and the way out, and nothing written."""

from __future__ import annotations

import re
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from federation.contract.exit_codes import ExitCode
from federation.demo.layout import HOST
from tests.support.demo import REPOSITORY, Command, RunningDemo, free_ports

MEMBER = "c_m999"


@pytest.fixture
def folder(demo: RunningDemo, tmp_path: Path) -> Path:
    """A copy of the municipality's folder, on a port of its own."""
    own = demo.home.party(MEMBER)
    folder = tmp_path / MEMBER
    folder.mkdir()
    for name in ("settings.toml", "node.yaml", "register.db"):
        shutil.copy(own / name, folder / name)
    shutil.copytree(own / "keys", folder / "keys")
    shutil.copytree(demo.home.registry, tmp_path / "registry")
    shutil.copytree(REPOSITORY / "policies" / MEMBER, tmp_path / "policies" / MEMBER)
    shutil.copy(REPOSITORY / "policies" / "vocabulary.yaml", tmp_path / "policies")
    _edit(folder / "settings.toml", 'policies = "policies"\n', f'policies = "../policies/{MEMBER}"\n')
    _edit(folder / "settings.toml", 'officers = "officers/officers.json"\n', "")
    settings = (folder / "settings.toml").read_text(encoding="utf-8")
    free, taken = free_ports().node(0), demo.ports.node(0)
    (folder / "settings.toml").write_text(settings.replace(f":{taken}", f":{free}"), encoding="utf-8")
    return folder


@pytest.fixture(autouse=True)
def patience() -> Iterator[None]:
    """What starts by mistake would run for ever."""

    def give_up(*_: object) -> None:
        raise TimeoutError("the process started, and should not have")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(30)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def _edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def _mode_0644(folder: Path) -> None:
    (folder / "keys" / "message.pem").chmod(0o644)


def _no_key(folder: Path) -> None:
    (folder / "keys" / "message.pem").unlink()


def _no_secret(folder: Path) -> None:
    (folder / "keys" / "masks.key").unlink()


def _no_ledger_key(folder: Path) -> None:
    (folder / "keys" / "ledger.pem").unlink()


def _short_secret(folder: Path) -> None:
    (folder / "keys" / "masks.key").write_bytes(b"short")


def _no_database(folder: Path) -> None:
    (folder / "register.db").unlink()


def _no_mapping(folder: Path) -> None:
    (folder / "node.yaml").unlink()


def _unknown_key(folder: Path) -> None:
    _edit(folder / "node.yaml", "types:", "tpyes:")


def _unknown_column(folder: Path) -> None:
    _edit(folder / "node.yaml", "column: COGNOME", "column: COGNOMI")


def _unknown_table(folder: Path) -> None:
    _edit(folder / "node.yaml", "table: ANAGRAFE", "table: ANAGRAFI")


def _no_yaml(folder: Path) -> None:
    (folder / "node.yaml").write_text("member: [c_m999\n", encoding="utf-8")


def _broken_policy(folder: Path) -> None:
    _edit(folder.parent / "policies" / MEMBER / "types" / "Citizen.yaml", "grants:", "grnats:")


def _policy_that_is_no_yaml(folder: Path) -> None:
    (folder.parent / "policies" / MEMBER / "types" / "Citizen.yaml").write_text("policy: [Citizen\n", encoding="utf-8")


def _no_policies(folder: Path) -> None:
    shutil.rmtree(folder.parent / "policies")


def _unknown_setting(folder: Path) -> None:
    _edit(folder / "settings.toml", "listen =", "lisen =")


def _no_registry(folder: Path) -> None:
    shutil.rmtree(folder.parent / "registry")


def _forged_list(folder: Path) -> None:
    path = folder.parent / "registry" / "metadata" / "timestamp.json"
    path.write_text(path.read_text(encoding="utf-8").replace('"sig":"', '"sig":"AAAA'), encoding="utf-8")


BROKEN: dict[str, tuple[Callable[[Path], None], ExitCode, str, list[str]]] = {
    "key file of mode 0644": (_mode_0644, ExitCode.USAGE, "CONFIGURATION_INVALID", ["message.pem", "chmod 600"]),
    "no message key": (_no_key, ExitCode.USAGE, "CONFIGURATION_INVALID", ["message.pem", "does not exist"]),
    "no ledger key": (_no_ledger_key, ExitCode.USAGE, "CONFIGURATION_INVALID", ["ledger.pem", "does not exist"]),
    "no secret for masks": (_no_secret, ExitCode.USAGE, "CONFIGURATION_INVALID", ["masks.key", "does not exist"]),
    "short secret": (_short_secret, ExitCode.USAGE, "CONFIGURATION_INVALID", ["masks.key", "5 bytes, expected 32"]),
    "no database": (_no_database, ExitCode.UNREACHABLE, "DATABASE_UNAVAILABLE", ["register.db"]),
    "no mapping": (_no_mapping, ExitCode.USAGE, "CONFIGURATION_INVALID", ["node.yaml", "does not exist", "`mapping`"]),
    "unknown key in the mapping": (_unknown_key, ExitCode.USAGE, "", ["node.yaml:", "tpyes", "`types`"]),
    "unknown column": (_unknown_column, ExitCode.USAGE, "CONFIGURATION_INVALID", ["node.yaml:", "COGNOMI", "COGNOME"]),
    "unknown table": (_unknown_table, ExitCode.USAGE, "CONFIGURATION_INVALID", ["node.yaml:", "ANAGRAFI", "ANAGRAFE"]),
    "mapping that is no YAML": (_no_yaml, ExitCode.USAGE, "", ["node.yaml"]),
    "unknown key in a policy": (_broken_policy, ExitCode.CHECK_FAILED, "POLICY_UNAVAILABLE", ["Citizen.yaml", "check"]),
    "policy that is no YAML": (_policy_that_is_no_yaml, ExitCode.CHECK_FAILED, "POLICY_UNAVAILABLE", ["Citizen.yaml"]),
    "no policies": (_no_policies, ExitCode.USAGE, "CONFIGURATION_INVALID", ["policies", "does not exist"]),
    "unknown setting": (_unknown_setting, ExitCode.USAGE, "CONFIGURATION_INVALID", ["settings.toml", "lisen"]),
    "no registry": (_no_registry, ExitCode.USAGE, "CONFIGURATION_INVALID", ["root.json"]),
    "forged member list": (_forged_list, ExitCode.UNREACHABLE, "REGISTRY_STALE", ["refused", "signed"]),
}


@pytest.mark.parametrize(("harm", "status", "code", "named"), BROKEN.values(), ids=BROKEN.keys())
def test_a_node_that_cannot_work_does_not_start(
    folder: Path,
    command: Command,
    harm: Callable[[Path], None],
    status: ExitCode,
    code: str,
    named: list[str],
) -> None:
    harm(folder)
    before = _files(folder)
    ran = command("node", "serve", "--settings", folder / "settings.toml")
    assert ran.out == ""
    assert ran.err.count("\n") == 1
    assert ran.err.startswith(f"{code} " if code else "")
    assert all(name in ran.err for name in named)
    assert ran.status == status
    assert _files(folder) == before


def test_a_node_whose_port_is_in_use_does_not_start(folder: Path, command: Command, demo: RunningDemo) -> None:
    taken = f"{HOST}:{demo.ports.node(0)}"
    settings = (folder / "settings.toml").read_text(encoding="utf-8")
    (folder / "settings.toml").write_text(re.sub(r'listen = ".*"', f'listen = "{taken}"', settings), encoding="utf-8")
    before = _files(folder)
    ran = command("node", "serve", "--settings", folder / "settings.toml")
    assert ran.err.startswith(f"CONFIGURATION_INVALID `{taken}` cannot be listened on (Address already in use); ")
    assert ran.err.count("\n") == 1
    assert ran.status == ExitCode.USAGE
    assert _files(folder) == before


def test_settings_that_are_not_there_are_named(command: Command, tmp_path: Path) -> None:
    for process in ("node", "gateway", "exchange"):
        ran = command(process, "serve", "--settings", tmp_path / "none.toml")
        assert ran.status == ExitCode.USAGE
        assert f"CONFIGURATION_INVALID settings file `{tmp_path / 'none.toml'}` does not exist; " in ran.err
        assert "`crocevia demo` makes one" in ran.err


def _files(folder: Path) -> set[str]:
    """Every file but those that SQLite keeps beside a database while somebody reads it."""
    return {
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file() and not path.name.endswith(("-shm", "-wal"))
    }
