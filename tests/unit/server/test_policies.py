"""The policy folder of a node: what it refuses at start, and what it takes while it runs."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from graphql import ObjectTypeDefinitionNode, parse, print_ast

from federation.contract.errors import ConfigurationError, PolicyUnavailableError
from node.data.mapping import Mapping
from node.demo.seed import demo_files
from node.enforcement.decide import Decisions
from node.policy.coverage import Coverage
from node.policy.schema_view import SchemaView
from node.server.planes import governed_schema
from node.server.policies import PolicyFolder, load_decisions
from node.subgraph.schema import NodeSchema
from node.vocabulary.schema import full_schema
from tests.support.policies import DEMO_MEMBERS, ROOT

CITIZEN = "types/Citizen.yaml"


@pytest.fixture(scope="module")
def schema() -> SchemaView:
    return schema_of("c_m999")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copy(ROOT / "policies" / "vocabulary.yaml", tmp_path)
    return Path(shutil.copytree(ROOT / "policies" / "c_m999", tmp_path / "c_m999"))


def schema_of(member: str) -> SchemaView:
    return governed_schema(Mapping.parse((demo_files() / member / "node.yaml").read_text(encoding="utf-8")))


def edit(folder: Path, old: str, new: str) -> None:
    path = folder / CITIZEN
    before = path.read_text(encoding="utf-8")
    assert old in before
    path.write_text(before.replace(old, new), encoding="utf-8")


def looks(watched: PolicyFolder, in_force: Decisions, times: int = 2) -> list[Decisions | None]:
    return [watched.changed(in_force.version) for _ in range(times)]


@pytest.mark.parametrize("member", DEMO_MEMBERS)
def test_the_demos_bundles_cover_what_their_nodes_serve(member: str) -> None:
    decisions = load_decisions(ROOT / "policies" / member, schema_of(member))
    assert decisions.version.digest == decisions.bundle.digest


def without_directives(sdl: str) -> str:
    """Return the object types of a schema, bare."""
    bare: list[str] = []
    for node in parse(sdl).definitions:
        if isinstance(node, ObjectTypeDefinitionNode):
            fields = " ".join(f"{each.name.value}: {print_ast(each.type)}" for each in node.fields or ())
            bare.append(f"type {node.name.value} {{ {fields} }}")
    return "\n".join(bare)


@pytest.mark.parametrize("member", DEMO_MEMBERS)
def test_r34_every_field_that_a_node_serves_has_a_policy_whatever_directives_stand_on_it(member: str) -> None:
    """Policies are found by coordinate: no directive, its loss or an overlay of the schema takes one away."""
    mapping = Mapping.parse((demo_files() / member / "node.yaml").read_text(encoding="utf-8"))
    published = NodeSchema.build(full_schema(), mapping).published_sdl
    governed = load_decisions(ROOT / "policies" / member, schema_of(member)).bundle
    overlay = published + "\nextend type Citizen @shareable { id: ID @deprecated }"
    for sdl in (published, without_directives(published), overlay):
        coverage = Coverage.of(governed, SchemaView.parse(sdl))
        assert coverage.served
        assert (coverage.percent, coverage.missing) == (100, ())


def test_a_missing_folder_names_the_setting(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"does not exist; set `policies`"):
        load_decisions(tmp_path / "none")


def test_r1_a_node_does_not_start_with_a_field_that_no_policy_governs(folder: Path, schema: SchemaView) -> None:
    edit(folder, "  sex: {category: gender}\n", "")
    edit(folder, "      sex: clear\n", "")
    edit(folder, "over: [dateOfBirth, sex, ", "over: [dateOfBirth, ")
    with pytest.raises(PolicyUnavailableError) as refused:
        load_decisions(folder, schema)
    message = str(refused.value)
    assert "\n" not in message
    assert f"policy bundle `{folder}` has" in message
    assert "`crocevia policy check" in message


def test_r10_a_node_does_not_start_with_forms_that_cannot_be_compared(folder: Path, schema: SchemaView) -> None:
    before = (folder / CITIZEN).read_text(encoding="utf-8")
    start = before.index("  - id: official-statistics")
    grant = before[start : before.index("  - id: families-in-support")]
    again = grant.replace("id: official-statistics", "id: again").replace("dateOfBirth: year", "dateOfBirth: age_band")
    (folder / CITIZEN).write_text(before[:start] + again + before[start:], encoding="utf-8")
    with pytest.raises(PolicyUnavailableError, match="FORMS_INCOMPARABLE"):
        load_decisions(folder, schema)


def test_r19_a_node_does_not_start_with_a_mask_that_its_type_does_not_admit(folder: Path, schema: SchemaView) -> None:
    edit(folder, "dateOfBirth: year", "dateOfBirth: email")
    with pytest.raises(PolicyUnavailableError, match=r"types/Citizen\.yaml:\d+"):
        load_decisions(folder, schema)


def test_r36_a_changed_bundle_is_taken_once_it_is_no_longer_being_saved(folder: Path, schema: SchemaView) -> None:
    watched = PolicyFolder(folder, schema)
    old = watched.load()
    assert looks(watched, old) == [None, None]
    edit(folder, "version: 1", "version: 2")
    assert looks(watched, old, 1) == [None]
    edit(folder, "version: 2", "version: 3")
    settling, found = looks(watched, old)
    assert settling is None
    assert found is not None
    assert found.version.revision == 3
    assert found.version.digest != old.version.digest
    assert looks(watched, found) == [None, None]


def test_r36_the_same_files_saved_again_are_no_other_bundle(folder: Path, schema: SchemaView) -> None:
    watched = PolicyFolder(folder, schema)
    old = watched.load()
    os.utime(folder / CITIZEN, ns=(1, 1))
    assert looks(watched, old, 3) == [None, None, None]


def test_r36_the_vocabulary_beside_the_folder_counts(folder: Path, schema: SchemaView) -> None:
    watched = PolicyFolder(folder, schema)
    old = watched.load()
    with (folder.parent / "vocabulary.yaml").open("a", encoding="utf-8") as vocabulary:
        vocabulary.write("\n# another day\n")
    assert [found is not None for found in looks(watched, old)] == [False, True]


@pytest.mark.parametrize(
    ("old_text", "new_text", "told"),
    [
        ("dateOfBirth: year", "dateOfBirth: yaer", "yaer"),
        ("policy: Citizen", "policy: Citizen: {", "YAML_INVALID"),
        ("  sex: {category: gender}\n", "", "sex"),
    ],
)
def test_r37_a_broken_bundle_is_told_once_and_the_old_one_stays(  # every argument is a case
    folder: Path, schema: SchemaView, caplog: pytest.LogCaptureFixture, old_text: str, new_text: str, told: str
) -> None:
    watched = PolicyFolder(folder, schema)
    old = watched.load()
    good = (folder / CITIZEN).read_text(encoding="utf-8")
    edit(folder, old_text, new_text)
    assert looks(watched, old, 4) == [None] * 4
    [record] = caplog.records
    assert record.levelname == "WARNING"
    assert old.version.digest in record.getMessage()
    assert told in record.getMessage()
    (folder / CITIZEN).write_text(good.replace("version: 1", "version: 2"), encoding="utf-8")
    assert [found is not None for found in looks(watched, old)] == [False, True]


def test_r37_a_folder_that_goes_away_changes_nothing(
    folder: Path, schema: SchemaView, caplog: pytest.LogCaptureFixture
) -> None:
    watched = PolicyFolder(folder, schema)
    old = watched.load()
    shutil.rmtree(folder)
    assert looks(watched, old, 3) == [None] * 3
    assert len(caplog.records) == 1
