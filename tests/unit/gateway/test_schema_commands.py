"""`crocevia compose`, `plan`, `schema check` and `schema diff`, as somebody types them in a folder of their own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from crocevia import app
from federation.contract.errors import CroceviaError
from federation.contract.exit_codes import ExitCode

PRODUCTS = 'type Query { products: [Product] } type Product @key(fields: "id") { id: ID! name: String old: Int }'
PRICES = """
extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key"])
type Product @key(fields: "id") { id: ID! price(currency: String): Int }
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    head = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key"])\n'
    (tmp_path / "products.graphql").write_text(head + PRODUCTS)
    (tmp_path / "prices.graphql").write_text(PRICES)
    listed = {
        "products": {"url": "http://127.0.0.1:4001/graphql", "sdl": "products.graphql"},
        "prices": {"url": "http://127.0.0.1:4002/graphql", "sdl": "prices.graphql"},
    }
    (tmp_path / "subgraphs.json").write_text(json.dumps(listed))
    return tmp_path


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(each) for each in arguments])


def published(folder: Path) -> Path:
    found = folder / "supergraph.graphql"
    found.write_text(run("compose", folder / "subgraphs.json").stdout)
    return found


def change(folder: Path, name: str, before: str, after: str) -> None:
    path = folder / name
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after))


def test_a_supergraph_is_composed_and_an_operation_planned_against_it(folder: Path) -> None:
    (folder / "query.graphql").write_text("{ products { name price } }")
    planned = run("plan", folder / "query.graphql", "--supergraph", published(folder), "--no-privacy")
    composed = run("plan", folder / "query.graphql", "--subgraphs", folder / "subgraphs.json", "--no-privacy")
    assert planned.exit_code == ExitCode.OK
    assert "fetch 1 from prices after 0" in planned.stdout
    assert composed.stdout == planned.stdout


@pytest.mark.parametrize(
    ("stage", "part"), [("paths", "→ root of products"), ("fetches", "request 1 to prices"), ("mermaid", "flowchart")]
)
def test_every_stage_of_planning_is_printed(folder: Path, stage: str, part: str) -> None:
    (folder / "query.graphql").write_text("{ products { price } }")
    planned = run("plan", folder / "query.graphql", "--supergraph", published(folder), "--stage", stage)
    assert part in planned.stdout


def test_what_clients_see_and_everything_as_json(folder: Path) -> None:
    api = run("compose", folder / "subgraphs.json", "--format", "api").stdout
    assert "join__" not in api
    assert "price(currency: String): Int" in api
    found = json.loads(run("compose", folder / "subgraphs.json", "--format", "json").stdout)
    assert found["api"] == api
    assert found["errors"] == []


def test_what_does_not_compose_is_said_in_both_forms(folder: Path) -> None:
    change(folder, "prices.graphql", "price(", "name: String price(")
    refused = run("compose", folder / "subgraphs.json")
    assert refused.exit_code == ExitCode.CHECK_FAILED
    assert refused.stderr.startswith("INVALID_FIELD_SHARING: ")
    assert refused.stdout == ""
    found = json.loads(run("compose", folder / "subgraphs.json", "--format", "json").stdout)
    assert found["errors"][0]["code"] == "INVALID_FIELD_SHARING"
    assert found["errors"][0]["coordinates"] == ["Product.name"]
    assert run("schema", "check", folder / "subgraphs.json").exit_code == ExitCode.CHECK_FAILED


def test_a_hint_is_printed_and_does_not_fail(folder: Path) -> None:
    change(folder, "products.graphql", "old: Int }", "old: Int size: Size } enum Size { S }")
    change(folder, "prices.graphql", "): Int }", "): Int other: Size } enum Size { S L }")
    composed = run("compose", folder / "subgraphs.json")
    assert composed.exit_code == ExitCode.OK
    assert composed.stderr.startswith("hint ")


def test_a_removed_field_breaks_unless_nobody_asked_for_it(folder: Path) -> None:
    before = published(folder)
    change(folder, "products.graphql", " old: Int", "")
    check = ("schema", "check", folder / "subgraphs.json", "--against", before)
    refused = run(*check)
    assert refused.exit_code == ExitCode.CHECK_FAILED
    assert "breaking FIELD_REMOVED: field `Product.old` was removed" in refused.stdout
    usage = folder / "usage.ndjson"
    usage.write_text('{"operation": "{ products { name } }", "count": 3}\n{"coordinate": "Product.id"}\n')
    allowed = run(*check, "--usage", usage)
    assert allowed.exit_code == ExitCode.OK
    assert "safe FIELD_REMOVED: field `Product.old` was removed (safe by usage)" in allowed.stdout
    usage.write_text('{"operation": "{ products { old } }"}\n')
    assert run(*check, "--usage", usage).exit_code == ExitCode.CHECK_FAILED


def test_two_schemas_are_compared_as_clients_see_them(folder: Path) -> None:
    old, new = folder / "old.graphql", folder / "new.graphql"
    old.write_text("type Query { a: Int b(x: Int): Int }")
    new.write_text("type Query { a: Int b(x: Int, y: Int): Int c: Int }")
    found = run("schema", "diff", old, new)
    assert found.exit_code == ExitCode.OK
    assert found.stdout.splitlines()[-1] == "0 breaking, 1 dangerous, 1 safe"
    rows = json.loads(run("schema", "diff", new, old, "--format", "json").stdout)["changes"]
    assert {(row["severity"], row["code"]) for row in rows} == {
        ("breaking", "FIELD_REMOVED"),
        ("breaking", "ARG_REMOVED"),
    }
    assert run("schema", "diff", published(folder), published(folder)).stdout == "0 breaking, 0 dangerous, 0 safe\n"


REFUSED = {
    "no such list": ("{}", None, "does not exist"),
    "no JSON": ("", "{", "body is not JSON"),
    "a name twice": ("", '{"a": {"sdl": "x"}, "a": {"sdl": "y"}}', "duplicate"),
    "no subgraphs": ("", "{}", "lists no subgraphs"),
    "another form": ("", '{"a": "a.graphql"}', "subgraph `a`: expected JSON of the form"),
    "a wrong key": ("", '{"a": {"schema": "a.graphql"}}', "unknown key `schema`"),
    "nothing to go by": ("", '{"a": {}}', "neither `url` nor `sdl`"),
    "no schema file": ("", '{"a": {"url": "http://x/", "sdl": "a.graphql"}}', "a.graphql` does not exist"),
    "nobody answers": (
        "",
        '{"a": {"url": "http://127.0.0.1:9/"}}',
        "`a` at http://127.0.0.1:9/ does not answer",
    ),
    "no address": ("", '{"a": {"url": "ftp://x"}}', "subgraph `a` has no usable address"),
}


@pytest.mark.parametrize(("_", "listed", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_a_list_of_subgraphs_that_cannot_be_used_is_named(
    tmp_path: Path, _: str, listed: str | None, message: str
) -> None:
    if listed is not None:
        (tmp_path / "subgraphs.json").write_text(listed)
    refused = run("compose", tmp_path / "subgraphs.json")
    assert isinstance(refused.exception, CroceviaError)
    assert message in str(refused.exception)


BAD_USAGE = {
    "no JSON": "coordinate",
    "another form": '{"field": "Product.id"}',
    "no coordinate": '{"coordinate": "Product"}',
    "no such field": '{"operation": "{ nothing }"}',
}


@pytest.mark.parametrize("line", BAD_USAGE.values(), ids=BAD_USAGE.keys())
def test_a_line_of_usage_that_cannot_be_read_is_named(folder: Path, line: str) -> None:
    usage = folder / "usage.ndjson"
    usage.write_text('{"coordinate": "Product.id"}\n' + line)
    refused = run("schema", "diff", published(folder), published(folder), "--usage", usage)
    assert "usage.ndjson`, line 2: " in str(refused.exception)


def test_what_is_no_schema_is_named(folder: Path) -> None:
    (folder / "bad.graphql").write_text("type Query {")
    refused = run("schema", "diff", folder / "bad.graphql", folder / "bad.graphql")
    assert "bad.graphql` is no GraphQL schema: Syntax Error" in str(refused.exception)
