"""An officer's act holds at the own node before anybody published it."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from federation.contract.members import Act, Agreement, AgreementState, MemberList
from federation.trust.agreements import sign_act
from node.membership.local_acts import LocalAct, LocalActs
from tests.support.agreements import ACCEPTED, DRAFT, HEALTH, KEYS, MEMBERS, NOW, TAX, after
from tests.support.members import members


class Published:
    def __init__(self, agreement: Agreement) -> None:
        self.listed = msgspec.structs.replace(members(1), members=MEMBERS, agreements=(agreement,))

    def current(self) -> MemberList:
        return self.listed


def put(folder: Path, name: str, act: LocalAct) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(msgspec.json.encode(act))


def test_a_suspension_holds_at_once_and_a_resumption_waits_for_the_list(tmp_path: Path) -> None:
    folder = tmp_path / "acts"
    active = after(*ACCEPTED)
    local = LocalActs(Published(active), folder)
    assert local.current().agreements[0].state is AgreementState.ACTIVE
    put(folder, "1.json", LocalAct("acc-1", sign_act(active, HEALTH, Act.SUSPEND, KEYS[HEALTH][0], NOW)))
    assert local.current().agreements[0].state is AgreementState.SUSPENDED
    (folder / "1.json").unlink()
    assert local.current().agreements[0].state is AgreementState.ACTIVE

    suspended = msgspec.structs.replace(after(*ACCEPTED, (Act.SUSPEND, HEALTH, 1)), state=AgreementState.SUSPENDED)
    local = LocalActs(Published(suspended), folder)
    for officer in (0, 1):
        resumed = sign_act(suspended, HEALTH, Act.RESUME, KEYS[HEALTH][officer], NOW)
        put(folder, f"{officer}.json", LocalAct("acc-1", resumed))
    assert local.current().agreements[0].state is AgreementState.SUSPENDED


def test_a_forged_act_and_a_broken_file_count_for_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = tmp_path / "acts"
    active = after(*ACCEPTED)
    put(folder, "1.json", LocalAct("acc-1", sign_act(DRAFT, TAX, Act.SUSPEND, KEYS[HEALTH][0], NOW)))
    (folder / "2.json").write_text("{}")
    assert LocalActs(Published(active), folder).current().agreements[0].state is AgreementState.ACTIVE
    assert "2.json` is not an officer's act" in caplog.text
