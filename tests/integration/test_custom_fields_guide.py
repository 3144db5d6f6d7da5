"""The guide to custom fields is followed, word for word, against a real HTTP server."""

from __future__ import annotations

import json
import re
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner
from typing_extensions import override

from node.console.node_commands import app
from node.console.policy_folders import shared_policies_folder
from tests.support.loopback import Quiet, serving

pytestmark = pytest.mark.integration

GUIDE = (Path(__file__).parents[2] / "docs" / "custom-fields.md").read_text(encoding="utf-8")
TRY = ("--as", "national", "--for", "benefit-assessment", "--basis", "6.1.e")
VEHICLES = {
    "RSSMRA80A01F257G": [
        {"plate": "FX123YZ", "since": "2019-03-01", "stolen": False},
        {"plate": "AB987CD", "since": "2001-01-01", "stolen": True},
    ]
}

INSURED = {"FX123YZ": "2027-05-31", "AB987CD": "2020-01-01"}
INSPECTIONS = {"7": {"passed": "2025-03-04", "owner": "v1.siv-v1.c_f257.MQ"}}
REGISTERS: dict[str, dict[str, Any]] = {
    "/vehicles/by-owner": {**VEHICLES},
    "/insurance/by-plate": {**INSURED},
    "/inspections/by-number": {**INSPECTIONS},
}


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", GUIDE, re.DOTALL)


@dataclass
class VehicleRegister:
    """The other office's system: it keeps what it was asked."""

    url: str
    asked: list[Any] = field(default_factory=list)
    status: int = 200
    body: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)
    slowly: threading.Event | None = None


@contextmanager
def vehicle_register() -> Iterator[VehicleRegister]:
    register = VehicleRegister("")

    class Handler(Quiet):
        @override
        def asked(self) -> None:
            known = REGISTERS[self.path]
            codes = json.loads(self.body())
            register.asked.append(codes)
            right = json.dumps({code: known[code] for code in codes if code in known}).encode()
            if register.slowly is not None:
                register.slowly.wait(20)
            self.respond(right if register.body is None else register.body)

        def respond(self, body: bytes) -> None:
            self.send_response(register.status)
            for name, value in {"content-length": str(len(body)), **register.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

    with serving(Handler) as register.url:
        yield register


@pytest.fixture
def register(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[VehicleRegister]:
    """A folder as the guide leaves it, and the system that its module asks."""
    monkeypatch.chdir(tmp_path)
    mapping, citizen, vehicle = blocks("yaml")
    [module, inspections], [question] = blocks("python"), blocks("graphql")
    shared = (shared_policies_folder() / "vocabulary.yaml").read_text(encoding="utf-8")
    inspections = module.partition("@concept")[0] + inspections
    files = {"node.yaml": mapping, "vehicles.py": module, "inspections.py": inspections, "question.graphql": question}
    files |= {"policies/types/Citizen.yaml": citizen, "policies/types/Vehicle.yaml": vehicle}
    Path("policies/types").mkdir(parents=True)
    for name, content in {**files, "policies/vocabulary.yaml": shared}.items():
        Path(name).write_text(content, encoding="utf-8")
    with closing(sqlite3.connect("comune.db")) as connection:
        connection.executescript("""
          CREATE TABLE ANAGRAFE (PSEUDONIMO TEXT PRIMARY KEY, COD_FISCALE TEXT UNIQUE, NOME TEXT, POS_ANAG TEXT);
          INSERT INTO ANAGRAFE VALUES ('v1.siv-v1.c_f257.MQ', 'RSSMRA80A01F257G', 'MARIO', 'R'),
            ('v1.siv-v1.c_f257.Mg', 'BNCLRA84H57F257B', 'LAURA', 'E');""")
    with vehicle_register() as found:
        monkeypatch.setenv("VEHICLE_REGISTER", found.url)
        yield found


def answered(*arguments: str) -> Any:
    result = CliRunner().invoke(app, ["try", "question.graphql", *TRY, "--format", "json", *arguments])
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_the_example_answers_as_the_guide_says(register: VehicleRegister) -> None:
    found = answered()
    vehicle = {"plate": "FX*****", "registeredOn": "2019-03-01", "insuredUntil": "2027"}
    assert found["data"] == {"citizen": {"taxCode": "RSSMRA80A01F257G", "vehicles": [vehicle]}}
    # By the plate that only the node sees; the stolen one's insurance is nobody's question.
    assert register.asked == [["RSSMRA80A01F257G"], ["FX123YZ"]]
    forms = {each["coordinate"]: each["form"] for each in found["decisions"]}
    assert forms["Citizen.vehicles"] == "clear"
    assert forms["Vehicle.plate"] == "partial"
    assert forms["Vehicle.insuredUntil"] == "year"


def test_who_moved_away_is_not_asked_about(register: VehicleRegister) -> None:
    query = Path("question.graphql")
    query.write_text(query.read_text(encoding="utf-8").replace("RSSMRA80A01F257G", "BNCLRA84H57F257B"))
    assert answered()["data"] == {"citizen": {"taxCode": "BNCLRA84H57F257B", "vehicles": None}}
    assert register.asked == []


def test_a_system_that_fails_costs_its_own_field(register: VehicleRegister) -> None:
    register.status = 503
    found = answered()
    assert found["data"] == {"citizen": {"taxCode": "RSSMRA80A01F257G", "vehicles": None}}
    [error] = found["errors"]
    assert (error["extensions"]["code"], error["path"]) == ("CUSTOM_FIELD_UNAVAILABLE", ["citizen", "vehicles"])
    assert "RSSMRA" not in error["message"]


MISBEHAVING: dict[str, dict[str, Any]] = {
    "refuses": {"status": 401},
    "redirects": {"status": 307, "headers": {"location": "/insurance/by-plate"}},
    "answers too much": {"body": b" " * 1_000_001 + b"{}"},
    "answers no JSON": {"body": b"<html>"},
    "answers another shape": {"body": b'["RSSMRA80A01F257G"]'},
    "leaves out what is needed": {"body": b'{"RSSMRA80A01F257G": [{"plate": "FX123YZ"}]}'},
    "breaks off": {"body": b"{", "headers": {"content-length": "100"}},
}


@pytest.mark.parametrize("how", MISBEHAVING.values(), ids=MISBEHAVING.keys())
def test_a_system_that_misbehaves_costs_its_own_field(register: VehicleRegister, how: dict[str, Any]) -> None:
    for name, value in how.items():
        setattr(register, name, value)
    found = answered()
    assert found["data"] == {"citizen": {"taxCode": "RSSMRA80A01F257G", "vehicles": None}}
    assert [error["extensions"]["code"] for error in found["errors"]] == ["CUSTOM_FIELD_UNAVAILABLE"]
    assert len(register.asked) == 1


def test_a_system_that_is_slow_costs_its_own_field(register: VehicleRegister) -> None:
    module = Path("vehicles.py")
    module.write_text(module.read_text(encoding="utf-8").replace("seconds=2.0", "seconds=0.1"))
    register.slowly = threading.Event()
    try:
        found = answered()
    finally:
        register.slowly.set()
    assert found["data"] == {"citizen": {"taxCode": "RSSMRA80A01F257G", "vehicles": None}}
    assert [error["extensions"]["code"] for error in found["errors"]] == ["CUSTOM_FIELD_UNAVAILABLE"]


def test_a_value_of_another_type_is_null_and_costs_nothing_else(register: VehicleRegister) -> None:
    """Half of a surrogate pair is no text, a list no date, and what is more than a list may have is left."""
    register.body = json.dumps(
        {"RSSMRA80A01F257G": [{"plate": "\ud800", "since": ["2019"], "stolen": False}] * 150}
    ).encode()
    Path("question.graphql").write_text(
        '{ citizen(by: {taxCode: "RSSMRA80A01F257G"}) { vehicles { plate registeredOn } } }', encoding="utf-8"
    )
    found = answered()
    assert found["data"]["citizen"]["vehicles"] == [{"plate": None, "registeredOn": None}] * 100
    assert "errors" not in found or found["errors"] == []


def test_an_entity_is_found_by_its_number_as_the_guide_says(register: VehicleRegister) -> None:
    Path("node.yaml").write_text(Path("node.yaml").read_text(encoding="utf-8").replace("vehicles:F", "inspections:F"))
    vehicle = Path("policies/types/Vehicle.yaml")
    policy = (
        vehicle.read_text(encoding="utf-8").replace("Vehicle", "Inspection").replace("attributes: {stolen: bool}", "")
    )
    policy = re.sub(
        r"fields:.*?grants",
        "fields: {id: {category: identifier}, passedOn: {category: case}}\ngrants",
        policy,
        flags=re.DOTALL,
    )
    policy = re.sub(r"see: \{plate.*", "see: {passedOn: year}", policy).partition("prohibitions")[0]
    Path("policies/types/Inspection.yaml").write_text(policy, encoding="utf-8")
    vehicle.unlink()
    citizen = Path("policies/types/Citizen.yaml")
    citizen.write_text(
        re.sub(r".*vehicles: \{cat.*\n|, vehicles: clear|prohib(.|\n)*", "", citizen.read_text(encoding="utf-8"))
    )
    keys = ", ".join(f'{{__typename: "Inspection", id: "{number}"}}' for number in ("8", "7", "7"))
    Path("question.graphql").write_text(
        f"{{ _entities(representations: [{keys}]) {{ ... on Inspection {{ passedOn }} }} }}", encoding="utf-8"
    )
    assert answered()["data"] == {"_entities": [None, {"passedOn": "2025"}, {"passedOn": "2025"}]}
    assert register.asked == [["8", "7"]]


@pytest.mark.usefixtures("register")
def test_the_doctor_reads_the_module_too() -> None:
    assert CliRunner().invoke(app, ["doctor"]).exit_code == 0
    module = Path("node.yaml")
    module.write_text(module.read_text(encoding="utf-8").replace("vehicles:FIELDS", "vehicles:FELDS"))
    result = CliRunner().invoke(app, ["doctor"])
    assert result.exit_code == 1
    assert "`custom` `vehicles` cannot be loaded" in result.output
