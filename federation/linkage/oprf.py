"""An oblivious pseudorandom function (RFC 9497, mode OPRF, suite P256-SHA256): docs/adr/0029.

The client learns F(key, input); the server learns neither the input nor the result. The names are the RFC's.

Multiplication by a secret scalar is OpenSSL's Diffie-Hellman, whose time does not depend on the scalar. It gives the x
coordinate only; which y belongs to it follows from the x coordinate of the next multiple.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec

from federation.contract.errors import BadInputError
from federation.linkage.hash_to_curve import N, P, Point, add, hash_to_curve, hash_to_field, right_side, square_root

_CONTEXT: Final = b"OPRFV1-\x00-P256-SHA256"
_CURVE: Final = ec.SECP256R1()
_SCALAR_SEED: Final = 48
_ODD: Final = 3
ELEMENT_BYTES: Final = 33
"""SEC 1's compressed form."""
OUTPUT_BYTES: Final = 32
"""Of `finalize`."""


def derive_key(seed: bytes, info: bytes) -> int:
    """Return the server's key from a seed of 32 random bytes (DeriveKeyPair, section 3.2.1)."""
    derive_input = seed + len(info).to_bytes(2) + info
    for counter in range(256):
        (key,) = hash_to_field(derive_input + counter.to_bytes(1), 1, b"DeriveKeyPair" + _CONTEXT, N)
        if key:
            return key
    raise AssertionError("no key in 256 tries has a probability of 2^-65536")


def random_scalar(random: Callable[[int], bytes]) -> int:
    """Return a scalar that is not zero (RandomScalar, section 2.1)."""
    return int.from_bytes(random(_SCALAR_SEED)) % (N - 1) + 1


def blind(given: bytes, scalar: int) -> bytes:
    """Hide an input behind a scalar that was never used before (Blind, section 3.3.1)."""
    return _serialize(_multiply(scalar, hash_to_curve(given, b"HashToGroup-" + _CONTEXT)))


def blind_evaluate(key: int, blinded: bytes) -> bytes:
    """Evaluate what a client hid (BlindEvaluate, section 3.3.1).

    Raises:
        BadInputError: it is no element of the group.
    """
    return _serialize(_multiply(key, _deserialize(blinded)))


def finalize(given: bytes, scalar: int, evaluated: bytes) -> bytes:
    """Return the function's value for an input from what the server evaluated (Finalize, section 3.3.1).

    Raises:
        BadInputError: it is no element of the group.
    """
    unblinded = _serialize(_multiply(pow(scalar, -1, N), _deserialize(evaluated)))
    return _output(given, unblinded)


def evaluate(key: int, given: bytes) -> bytes:
    """Return the function's value directly (Evaluate, section 3.3.1): for whoever holds the key and the input."""
    element = _serialize(_multiply(key, hash_to_curve(given, b"HashToGroup-" + _CONTEXT)))
    return _output(given, element)


def _output(given: bytes, element: bytes) -> bytes:
    return sha256(len(given).to_bytes(2) + given + len(element).to_bytes(2) + element + b"Finalize").digest()


def _multiply(scalar: int, point: Point) -> Point:
    """Return scalar · point: of the two points of its x coordinate, the one whose sum with `point` is the next."""
    x = _x_of_multiple(scalar, point)
    y = square_root(right_side(x))
    assert y is not None  # x is that of a point
    if scalar == N - 1:
        return (point[0], P - point[1])
    if x == point[0]:  # the scalar is 1, for N - 1 was seen to
        return point
    following = _x_of_multiple(scalar + 1, point)
    return (x, y) if add((x, y), point)[0] == following else (x, P - y)


def _x_of_multiple(scalar: int, point: Point) -> int:
    private = ec.derive_private_key(scalar, _CURVE)
    return int.from_bytes(private.exchange(ec.ECDH(), ec.EllipticCurvePublicNumbers(*point, _CURVE).public_key()))


def _serialize(point: Point) -> bytes:
    return bytes((2 + point[1] % 2,)) + point[0].to_bytes(32)


def _deserialize(element: bytes) -> Point:
    if len(element) != ELEMENT_BYTES or element[0] not in {2, _ODD}:
        raise BadInputError("expected an element of P-256 in compressed form")
    x = int.from_bytes(element[1:])
    y = square_root(right_side(x)) if x < P else None
    if y is None:
        raise BadInputError("expected an element of P-256 in compressed form")
    return (x, y if y % 2 == element[0] % 2 else P - y)
