"""Channels are mutual TLS 1.3: only parties of the list come in, and certificates change while requests run."""

from __future__ import annotations

import asyncio
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from federation.contract.errors import AddresseeError, BadInputError, ConfigurationError
from federation.trust.authority import Authority
from federation.trust.channel import AUTHORITY_CERTIFICATE, Channel, ChannelSettings, party_of, require_peer
from tests.support.channels import FEDERATION, Issuer, ask, listed, serving

pytestmark = pytest.mark.integration


@pytest.fixture
def issuer(tmp_path: Path) -> Issuer:
    return Issuer.found(tmp_path / "authority")


@pytest.fixture
def node(issuer: Issuer) -> Channel:
    return Channel.open(issuer.party("c_m999"))


def asking(settings: ChannelSettings) -> ssl.SSLContext:
    return Channel.open(settings).asking


async def test_a_party_of_the_list_comes_in_under_its_name(issuer: Issuer, node: Channel) -> None:
    async with serving(node, listed("gateway")) as port:
        assert await ask(port, asking(issuer.party("gateway"))) == "gateway"


async def test_nobody_else_does(issuer: Issuer, node: Channel, tmp_path: Path) -> None:
    rogue = Issuer.found(tmp_path / "rogue")
    bare = ssl.create_default_context(cafile=issuer.folder / AUTHORITY_CERTIFICATE)
    old = ssl.create_default_context(cafile=issuer.folder / AUTHORITY_CERTIFICATE)
    gateway = issuer.party("gateway")
    old.load_cert_chain(gateway.certificate, gateway.key)
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    forged = rogue.party("gateway")
    stranger = ssl.create_default_context(cafile=issuer.folder / AUTHORITY_CERTIFICATE)
    stranger.load_cert_chain(forged.certificate, forged.key)
    refused = {
        "no certificate": bare,
        "another authority": stranger,
        "TLS 1.2": old,
        "not on the list": asking(issuer.party("ustat")),
        "another federation": asking(issuer.party("exchange", federation="https://other.example")),
        "expired": asking(issuer.party("late", age=timedelta(days=3))),
    }
    async with serving(node, listed("gateway", "exchange", "late")) as port:
        said = {name: await ask(port, context) for name, context in refused.items()}
    assert said == dict.fromkeys(refused, "")


async def test_a_client_refuses_a_server_of_another_authority(issuer: Issuer, tmp_path: Path) -> None:
    rogue = Channel.open(Issuer.found(tmp_path / "rogue").party("c_m999"))
    async with serving(rogue, listed("gateway")) as port:
        assert await ask(port, asking(issuer.party("gateway"))) == ""


async def test_who_leaves_the_list_keeps_no_open_connection(issuer: Issuer, node: Channel) -> None:
    on_the_list = {"gateway"}

    def admits(certificate: object) -> str | None:
        party = party_of(certificate, FEDERATION)
        return party if party in on_the_list else None

    async with serving(node, admits) as port:
        context = asking(issuer.party("gateway"))
        assert await ask(port, context, times=3) == "gateway"
        assert (
            await ask(port, context, times=3, pause=lambda number: on_the_list.clear() if number == 2 else None) == ""
        )
        assert await ask(port, context) == ""


async def test_certificates_are_renewed_under_load(issuer: Issuer, node: Channel) -> None:
    gateway = Channel.open(issuer.party("gateway"))
    async with serving(node, listed("gateway")) as port:

        async def many() -> list[str]:
            return [await ask(port, gateway.asking) for _ in range(20)]

        load = [asyncio.create_task(many()) for _ in range(5)]
        for _ in range(5):
            await asyncio.sleep(0.02)
            issuer.party("c_m999")
            issuer.party("gateway")
            assert node.renew()
            assert gateway.renew()
        answers = [said for task in load for said in await task]
    assert answers == ["gateway"] * 100


async def test_an_authority_that_was_replaced_opens_nothing(issuer: Issuer, node: Channel, tmp_path: Path) -> None:
    before = asking(issuer.party("gateway"))
    new = Issuer.found(tmp_path / "new")
    async with serving(node, listed("gateway")) as port:
        assert await ask(port, before) == "gateway"
        successor = new.party("c_m999")
        for theirs, ours in zip(
            (successor.certificate, successor.key, successor.authority),
            (node.settings.certificate, node.settings.key, node.settings.authority),
            strict=True,
        ):
            ours.write_bytes(theirs.read_bytes())
        assert node.renew()
        assert await ask(port, before) == ""
        assert await ask(port, asking(new.party("gateway"))) == "gateway"


def test_what_cannot_be_used_leaves_the_certificate_in_use(node: Channel, caplog: pytest.LogCaptureFixture) -> None:
    node.settings.certificate.write_text("nothing")
    assert not node.renew()
    assert "the certificate in use stays" in caplog.text
    with pytest.raises(ConfigurationError, match="channel cannot be opened"):
        Channel.open(node.settings)


def test_a_key_that_others_may_read_opens_no_channel(node: Channel) -> None:
    node.settings.key.chmod(0o640)
    with pytest.raises(ConfigurationError, match="mode 0640"):
        Channel.open(node.settings)


def test_a_message_over_another_partys_channel_is_refused() -> None:
    require_peer(None, "gateway")
    require_peer("gateway", "gateway")
    with pytest.raises(AddresseeError):
        require_peer("ustat", "gateway")


def test_a_certificate_names_exactly_one_party() -> None:
    uri = "spiffe://test.example/gateway"
    assert party_of({"subjectAltName": (("IP Address", "127.0.0.1"), ("URI", uri))}, FEDERATION) == "gateway"
    for names in ((), (("DNS", "gateway"),), (("URI", uri), ("URI", uri)), (("URI", "spiffe://other/gateway"),)):
        assert party_of({"subjectAltName": names}, FEDERATION) is None
    assert party_of(None, FEDERATION) is None


def test_a_request_that_proves_no_key_is_not_certified(issuer: Issuer) -> None:
    with pytest.raises(BadInputError, match="PEM"):
        issuer.authority.certify(b"x", FEDERATION, "gateway", None, _now(), timedelta(days=1))
    with pytest.raises(ConfigurationError, match="exists"):
        Authority.found(issuer.folder, FEDERATION, _now())


def _now() -> datetime:
    return datetime.now(UTC)
