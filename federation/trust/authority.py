"""The federation's own certificate authority: certificates for channels, for parties of the member list only."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, Self
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from federation.contract.errors import BadInputError, ConfigurationError
from federation.trust.channel import AUTHORITY_CERTIFICATE, party_uri
from federation.trust.keys import load_p256, write_p256

AUTHORITY_KEY: Final = "authority.key.pem"
AUTHORITY_LIFE: Final = timedelta(days=365)
CERTIFICATE_LIFE: Final = timedelta(days=30)
_BEFORE = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Authority:
    """A key that signs certificates, and the certificate that everybody trusts."""

    certificate: x509.Certificate
    _key: ec.EllipticCurvePrivateKey = field(repr=False)

    @classmethod
    def found(cls, folder: Path, federation: str, now: datetime) -> Self:
        """Make an authority in a folder: its key of mode 0600, and its certificate.

        Raises:
            ConfigurationError: there is one already.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"{federation.removeprefix('https://')} channels")])
        certificate = (
            _bare(name, name, key.public_key(), now, AUTHORITY_LIFE)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(certificates=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .sign(key, hashes.SHA256())
        )
        write_p256(folder / AUTHORITY_KEY, key)
        (folder / AUTHORITY_CERTIFICATE).write_bytes(certificate.public_bytes(Encoding.PEM))
        return cls(certificate, key)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read an authority.

        Raises:
            ConfigurationError: key or certificate is missing or cannot be used.
        """
        key = load_p256(folder / AUTHORITY_KEY)
        try:
            certificate = x509.load_pem_x509_certificate((folder / AUTHORITY_CERTIFICATE).read_bytes())
        except (OSError, ValueError) as error:
            raise ConfigurationError(f"`{folder / AUTHORITY_CERTIFICATE}` cannot be read: {error}") from error
        return cls(certificate, key)

    def certify(
        self, request: bytes, federation: str, party: str, url: str | None, now: datetime, life: timedelta
    ) -> bytes:
        """Return a certificate (PEM) for a party; names come from the member list, only the key from the request.

        Raises:
            BadInputError: the request cannot be read, or does not prove its key.
        """
        try:
            asked = x509.load_pem_x509_csr(request)
            public, proved = asked.public_key(), asked.is_signature_valid
        except (ValueError, UnsupportedAlgorithm, x509.InvalidVersion) as error:
            raise BadInputError("certificate request cannot be read as PEM, or holds no usable key") from error
        if not proved or not isinstance(public, ec.EllipticCurvePublicKey):
            raise BadInputError("certificate request does not prove a P-256 key")
        names: list[x509.GeneralName] = [x509.UniformResourceIdentifier(party_uri(federation, party))]
        names += _host(url)
        certificate = (
            _bare(self.certificate.subject, _common_name(party), public, now, life)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(certificates=False), critical=True)
            .add_extension(
                x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]),
                critical=False,
            )
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        return certificate.public_bytes(Encoding.PEM)


def certificate_request(key: ec.EllipticCurvePrivateKey, party: str) -> bytes:
    """Return a request (PEM) that proves the key; which names the certificate has, the authority says."""
    builder = x509.CertificateSigningRequestBuilder().subject_name(_common_name(party))
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)


def _common_name(party: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, party)])


def _bare(
    issuer: x509.Name, subject: x509.Name, public: ec.EllipticCurvePublicKey, now: datetime, life: timedelta
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .issuer_name(issuer)
        .subject_name(subject)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BEFORE)
        .not_valid_after(now + life)
    )


def _usage(*, certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not certificates,
        key_cert_sign=certificates,
        crl_sign=certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _host(url: str | None) -> list[x509.GeneralName]:
    host = urlsplit(url).hostname if url else None
    if not host:
        return []
    try:
        return [x509.IPAddress(ipaddress.ip_address(host))]
    except ValueError:
        return [x509.DNSName(host)]
