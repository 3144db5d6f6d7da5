"""Hashing to P-256 (RFC 9380, suite P256_XMD:SHA-256_SSWU_RO_): what nobody can find the logarithm of.

The names are the RFC's. Python's integers do not take the same time for every input: what is hashed here is known to
whoever runs it, and secret scalars are multiplied elsewhere (`oprf.py`).
"""

from __future__ import annotations

from hashlib import sha256
from typing import Final, TypeAlias

P: Final = 2**256 - 2**224 + 2**192 + 2**96 - 1
"""The prime of the field (FIPS 186-5, P-256)."""
N: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""The order of the group."""
A: Final = P - 3
B: Final = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
Z: Final = P - 10
_C1: Final = -B * pow(A, -1, P) % P
_C2: Final = B * pow(Z * A, -1, P) % P
_L: Final = 48
_BLOCK: Final = 64
_DIGEST: Final = 32

Point: TypeAlias = tuple[int, int]
"""Affine coordinates; the point at infinity has none, and is met with negligible probability."""


def hash_to_curve(message: bytes, dst: bytes) -> Point:
    """Return the point of a message under a domain separation tag (section 3)."""
    u0, u1 = hash_to_field(message, 2, dst, P)
    return add(map_to_curve_simple_swu(u0), map_to_curve_simple_swu(u1))  # P-256 has cofactor 1


def hash_to_field(message: bytes, count: int, dst: bytes, modulus: int) -> tuple[int, ...]:
    """Return `count` elements of a field (section 5.2)."""
    uniform_bytes = expand_message_xmd(message, dst, count * _L)
    return tuple(int.from_bytes(uniform_bytes[_L * i : _L * (i + 1)]) % modulus for i in range(count))


def expand_message_xmd(message: bytes, dst: bytes, length: int) -> bytes:
    """Return `length` uniform bytes of a message (section 5.3.1)."""
    ell = -(-length // _DIGEST)
    dst_prime = dst + len(dst).to_bytes(1)
    b_0 = sha256(bytes(_BLOCK) + message + length.to_bytes(2) + b"\x00" + dst_prime).digest()
    b_i = sha256(b_0 + b"\x01" + dst_prime).digest()
    parts = [b_i]
    for i in range(2, ell + 1):
        b_i = sha256(bytes(x ^ y for x, y in zip(b_0, b_i, strict=True)) + i.to_bytes(1) + dst_prime).digest()
        parts.append(b_i)
    return b"".join(parts)[:length]


def map_to_curve_simple_swu(u: int) -> Point:
    """Return the point of a field element (section 6.6.2)."""
    zu2 = Z * u * u % P
    tv1 = (zu2 * zu2 + zu2) % P
    x1 = _C1 * (1 + pow(tv1, -1, P)) % P if tv1 else _C2
    y1 = square_root(right_side(x1))
    x2 = zu2 * x1 % P
    x, y = (x1, y1) if y1 is not None else (x2, _existing(square_root(right_side(x2))))
    return (x, y if u % 2 == y % 2 else P - y)  # sgn0


def right_side(x: int) -> int:
    """Return what y squared is at x: the curve's equation."""
    return (x * x * x + A * x + B) % P


def square_root(value: int) -> int | None:
    """Return a square root modulo P, None if there is none; P is 3 modulo 4."""
    root = pow(value, (P + 1) // 4, P)
    return root if root * root % P == value % P else None


def add(left: Point, right: Point) -> Point:
    """Return the sum of two points that are not each other's negative."""
    (x1, y1), (x2, y2) = left, right
    slope = (3 * x1 * x1 + A) * pow(2 * y1, -1, P) if left == right else (y2 - y1) * pow(x2 - x1, -1, P)
    x3 = (slope * slope - x1 - x2) % P
    return (x3, (slope * (x1 - x3) - y1) % P)


def _existing(root: int | None) -> int:
    assert root is not None  # one of g(x1), g(x2) is a square (section 6.6.2)
    return root
