"""What enrolment adds to the oblivious function: the exchange's key for it, and the subject that a value stands for.

All members get the same value for one code, and only with the exchange's help; the subject is what the exchange makes
of it, and leaves it only as pseudonyms.
"""

from __future__ import annotations

from hashlib import sha256

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from federation.contract.errors import BadInputError
from federation.linkage.oprf import OUTPUT_BYTES, derive_key
from federation.linkage.suites import SUBJECT_BYTES

_INFO = b"crocevia/enrolment"


def enrolment_key(master_key: bytes) -> int:
    """Return the exchange's key of the oblivious function, from the secret of which all its keys come (RFC 5869)."""
    seed = HKDF(algorithm=SHA256(), length=32, salt=None, info=_INFO).derive(master_key)
    return derive_key(seed, _INFO)


def subject_of(value: bytes) -> bytes:
    """Return the opaque id of the citizen for whose code a member got `value`.

    Raises:
        BadInputError: it is no value of the function.
    """
    if len(value) != OUTPUT_BYTES:
        raise BadInputError(f"expected values of {OUTPUT_BYTES} bytes")
    return sha256(b"crocevia/subject\n" + value).digest()[:SUBJECT_BYTES]
