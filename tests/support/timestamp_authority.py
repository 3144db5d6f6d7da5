"""A timestamp authority (RFC 3161) made with OpenSSL's own tool: keys, certificates, and answers to requests."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from federation.trust.outgoing import PostReply

_CONFIGURATION = """
[ req ]
distinguished_name = name
[ name ]
[ root ]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign
subjectKeyIdentifier = hash
[ stamping ]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = critical, timeStamping
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[ tsa ]
default_tsa = authority
[ authority ]
serial = serial
default_policy = 1.2.3.4.1
digests = sha256, sha512
signer_digest = sha256
ess_cert_id_alg = sha256
"""


@dataclass(slots=True)
class TimestampAuthority:
    """Answers requests; `works` False stands for an outage."""

    folder: Path
    works: bool = True
    asked: int = 0

    @classmethod
    def found(cls, folder: Path) -> TimestampAuthority:
        """Make its keys and certificates."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "tsa.cnf").write_text(_CONFIGURATION)
        (folder / "serial").write_text("01")
        made = cls(folder)
        days = ("-days", "30")
        made._run("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", "root.key")
        root = ("-x509", "-new", "-key", "root.key", "-subj", "/CN=test root", "-extensions", "root")
        made._run("req", *root, "-config", "tsa.cnf", *days, "-out", "roots.pem")
        made._run("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", "tsa.key")
        made._run(
            "req", "-new", "-key", "tsa.key", "-subj", "/CN=test authority", "-config", "tsa.cnf", "-out", "tsa.csr"
        )
        signed = ("-req", "-in", "tsa.csr", "-CA", "roots.pem", "-CAkey", "root.key", "-CAcreateserial")
        made._run("x509", *signed, "-extfile", "tsa.cnf", "-extensions", "stamping", *days, "-out", "tsa.pem")
        return made

    @property
    def roots(self) -> Path:
        """The certificate that its timestamps chain to."""
        return self.folder / "roots.pem"

    async def __call__(self, url: str, content_type: str, body: bytes) -> PostReply:
        """Answer a request as an authority's server does."""
        assert (url, content_type) == ("https://tsa.example/", "application/timestamp-query")
        self.asked += 1
        return PostReply(200, self.answer(body)) if self.works else PostReply(503, b"")

    def answer(self, request: bytes) -> bytes:
        """Return the DER of the response to a request."""
        (self.folder / "request.tsq").write_bytes(request)
        key = ("-inkey", "tsa.key", "-signer", "tsa.pem")
        self._run("ts", "-reply", "-config", "tsa.cnf", *key, "-queryfile", "request.tsq", "-out", "answer.tsr")
        return (self.folder / "answer.tsr").read_bytes()

    def _run(self, *arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=self.folder, check=True, capture_output=True)
