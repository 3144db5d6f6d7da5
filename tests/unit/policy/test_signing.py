"""Signed bundles: what brings a revision into force, and what never does (R37)."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from federation.trust.keys import ed25519_jwk, generate_ed25519, load_ed25519
from node.console.policy_commands import app
from node.policy.signing import BundleRefusedError, Envelope, Manifest, Role, Signature
from tests.support.policies import EXAMPLE, ROOT


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def office(tmp_path: Path) -> Path:
    """Return a folder with a bundle, the keys of three officers, and who holds which."""
    shutil.copytree(EXAMPLE, tmp_path / "bundle")
    holders = {"anna": ["author", "approver"], "bruno": ["approver"], "anna-again": ["approver"]}
    rows = []
    for name, roles in holders.items():
        generate_ed25519(tmp_path / f"{name}.pem")
        jwk = ed25519_jwk(load_ed25519(tmp_path / f"{name}.pem"))
        rows.append({"holder": name.removesuffix("-again"), "roles": roles, "jwk": jwk})
    generate_ed25519(tmp_path / "stranger.pem")
    (tmp_path / "officers.json").write_text(json.dumps(rows), encoding="utf-8")
    return tmp_path


def sign(office: Path, who: str, *more: object) -> Result:
    return run("sign", "--policies", office / "bundle", "--key", office / f"{who}.pem", *more)


def approve(office: Path, who: str) -> Result:
    return run("approve", "--policies", office / "bundle", "--key", office / f"{who}.pem")


def publish(office: Path) -> Result:
    more = ("--officers", office / "officers.json", "--store", office / "store")
    return run("publish", "--policies", office / "bundle", *more)


def edit(office: Path) -> None:
    path = office / "bundle" / "invariants.yaml"
    path.write_bytes(path.read_bytes() + b"\n")


def published(office: Path, who: str = "anna", approver: str = "bruno") -> None:
    more = ("--store", office / "store") if (office / "store").exists() else ()
    assert sign(office, who, *more).exit_code == 0
    assert approve(office, approver).exit_code == 0
    assert publish(office).exit_code == 0, publish(office).stderr


def in_force(office: Path) -> Manifest:
    return Envelope.parse((office / "store" / "current" / "bundle.json").read_bytes()).manifest


def test_r37_two_officers_bring_a_bundle_into_force(office: Path) -> None:
    published(office)
    assert in_force(office).revision == 1
    assert (office / "store" / "current" / "types" / "Citizen.yaml").is_file()


def test_r37_revisions_rise_and_name_their_parent(office: Path) -> None:
    published(office)
    first = in_force(office)
    edit(office)
    published(office)
    assert (in_force(office).revision, in_force(office).parent) == (2, first.digest)


def test_r37_an_unsigned_bundle_is_not_published(office: Path) -> None:
    result = publish(office)
    assert result.exit_code == 4
    assert "sign the bundle first" in result.stderr
    assert not (office / "store").exists()


def test_r37_a_half_signed_bundle_is_not_published(office: Path) -> None:
    sign(office, "anna")
    assert "expected one signature of the approver, got 0" in publish(office).stderr


REFUSED = {
    "one person with two keys": ("anna", "anna-again", "author and approver are one person, `anna`"),
    "an unknown key": ("anna", "stranger", "is not known here"),
    "a role that is not the officer's": ("bruno", "anna", "`bruno` may not sign as author"),
}


@pytest.mark.parametrize(("author", "approver", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_r37_wrong_signatures_keep_the_old_bundle(office: Path, author: str, approver: str, message: str) -> None:
    published(office)
    edit(office)
    sign(office, author, "--store", office / "store")
    approve(office, approver)
    result = publish(office)
    assert result.exit_code == 3
    assert message in result.stderr
    assert in_force(office).revision == 1


def test_r37_nobody_approves_with_the_key_that_signed(office: Path) -> None:
    sign(office, "anna")
    result = approve(office, "anna")
    assert result.exit_code == 3
    assert "this key signed as author already" in result.stderr


def test_a_key_that_cannot_be_used_is_said_in_the_officers_language(office: Path) -> None:
    missing = run("sign", "--policies", office / "bundle", "--key", office / "none.pem", "--lang", "it")
    assert (missing.exit_code, "lo crea `crocevia policy officer`" in missing.stderr) == (4, True)
    (office / "open.pem").write_text("no key", encoding="utf-8")
    shown = run("sign", "--policies", office / "bundle", "--key", office / "open.pem", "--lang", "it")
    assert (shown.exit_code, "non si può usare" in shown.stderr) == (2, True)


def test_r37_a_changed_file_is_refused(office: Path) -> None:
    sign(office, "anna")
    approve(office, "bruno")
    edit(office)
    assert "file `invariants.yaml` is not the one that was signed" in publish(office).stderr
    assert "file `invariants.yaml` is not the one that was signed" in approve(office, "bruno").stderr


def test_r37_an_added_or_removed_file_is_refused(office: Path) -> None:
    sign(office, "anna")
    approve(office, "bruno")
    lock = office / "bundle" / "matrix.lock"
    lock.write_text("", encoding="utf-8")
    assert "file `matrix.lock` is not in the manifest" in publish(office).stderr
    lock.unlink()
    (office / "bundle" / "tests" / "Citizen_test.yaml").unlink()
    assert "file `tests/Citizen_test.yaml` of the manifest is missing" in publish(office).stderr


def test_r37_an_older_revision_is_refused(office: Path) -> None:
    published(office)
    result = publish(office)
    assert "expected a revision above 1, which is in force, got 1" in result.stderr


def test_r37_a_bundle_that_does_not_follow_the_one_in_force_is_refused(office: Path) -> None:
    published(office)
    envelope = Envelope.parse((office / "bundle" / "bundle.json").read_bytes())
    foreign = Envelope(Manifest(2, "sha256:0", envelope.manifest.files))
    (office / "bundle" / "bundle.json").write_bytes(foreign.to_bytes())
    refused = publish(office).stderr
    assert "does not follow revision 1, which is in force" in refused
    assert "sign it again with that one as parent" in refused


def test_r37_a_signature_in_one_role_is_none_in_the_other(office: Path) -> None:
    sign(office, "anna")
    path = office / "bundle" / "bundle.json"
    envelope = Envelope.parse(path.read_bytes())
    [one] = envelope.signatures
    moved = Signature(Role.APPROVER, one.kid, one.signature)
    path.write_bytes(Envelope(envelope.manifest, (one, moved)).to_bytes())
    assert "the approver's signature does not verify" in publish(office).stderr


def test_r37_a_bundle_with_an_error_cannot_be_signed(office: Path) -> None:
    (office / "bundle" / "invariants.yaml").write_text("- {id: x}", encoding="utf-8")
    assert sign(office, "anna").exit_code == 1
    assert not (office / "bundle" / "bundle.json").exists()


def test_verify_says_what_publish_would_do(office: Path) -> None:
    sign(office, "anna")
    arguments = ("verify", "--policies", office / "bundle", "--officers", office / "officers.json")
    assert run(*arguments).exit_code == 3
    approve(office, "bruno")
    assert "può entrare in vigore" in run(*arguments, "--lang", "it").stdout
    assert "may come into force" in run(*arguments, "--lang", "en").stdout
    assert publish(office).exit_code == 0
    assert "is signed by two officers and in force" in run(*arguments, "--store", office / "store").stdout


def test_every_step_can_be_read_by_a_program(office: Path) -> None:
    json_ = ("--format", "json")
    steps = [
        json.loads(sign(office, "anna", *json_).stdout),
        json.loads(run("approve", "--policies", office / "bundle", "--key", office / "bruno.pem", *json_).stdout),
    ]
    assert [(step["revision"], step["parent"], step["state"]) for step in steps] == [
        (1, None, "signed by the author"),
        (1, None, "approved"),
    ]


def test_of_two_officers_who_publish_at_once_one_wins_and_the_other_signs_again(office: Path) -> None:
    """Real processes: both bundles follow revision 1, both are rightly signed, and neither knows of the other."""
    published(office)
    command = [sys.executable, "-c", "from node.console.policy_commands import app; app()", "publish"]
    running = []
    for number in range(2):
        folder = Path(shutil.copytree(office / "bundle", office / f"bundle-{number}"))
        (folder / "invariants.yaml").write_bytes((folder / "invariants.yaml").read_bytes() + b"\n" * (number + 1))
        for step, key in (("sign", "anna"), ("approve", "bruno")):
            more = ("--store", office / "store") if step == "sign" else ()
            assert run(step, "--policies", folder, "--key", office / f"{key}.pem", *more).exit_code == 0
        arguments = ("--policies", folder, "--officers", office / "officers.json", "--store", office / "store")
        running.append(
            subprocess.Popen([*command, *map(str, arguments)], cwd=ROOT, stderr=subprocess.PIPE, stdout=subprocess.PIPE)
        )
    said = [process.communicate(timeout=60)[1].decode() for process in running]
    assert sorted(process.returncode for process in running) == [0, 3]
    [loser] = [number for number, process in enumerate(running) if process.returncode]
    assert "expected a revision above 2, which is in force, got 2" in said[loser]
    assert in_force(office) == Envelope.parse((office / f"bundle-{1 - loser}" / "bundle.json").read_bytes()).manifest

    folder = office / f"bundle-{loser}"
    assert run("sign", "--policies", folder, "--key", office / "anna.pem", "--store", office / "store").exit_code == 0
    assert run("approve", "--policies", folder, "--key", office / "bruno.pem").exit_code == 0
    shutil.rmtree(office / "bundle")
    folder.rename(office / "bundle")
    assert publish(office).exit_code == 0
    assert in_force(office).revision == 3


def test_a_rollback_is_older_content_under_a_higher_revision(office: Path) -> None:
    published(office)
    old = (office / "store" / "1" / "invariants.yaml").read_bytes()
    edit(office)
    published(office)
    shutil.rmtree(office / "bundle")
    assert run("rollback", 1, "--store", office / "store", "--into", office / "bundle").exit_code == 0
    published(office)
    assert in_force(office).revision == 3
    assert (office / "store" / "current" / "invariants.yaml").read_bytes() == old


def test_a_rollback_to_nothing_is_not_found(office: Path) -> None:
    published(office)
    assert run("rollback", 7, "--store", office / "store", "--into", office / "new").exit_code == 4
    assert run("rollback", 1, "--store", office / "store", "--into", office / "bundle").exit_code == 2


@pytest.mark.parametrize("content", [b"", b"{}", b'{"manifest": 3}', b'{"manifest": {"revision": "1"}}', b"\xff"])
def test_what_is_no_envelope_is_refused(content: bytes) -> None:
    with pytest.raises(BundleRefusedError):
        Envelope.parse(content)
