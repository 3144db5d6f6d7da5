"""What becomes of an operation of which a field is denied, and where a consumer says so (policy R12).

The agreement has a setting, `on_denied`, and a request may have the header `Crocevia-On-Denied`; either can ask for the
stricter. The header is one that the consumer's signature covers, so that nodes read it as the consumer wrote it.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from federation.contract.errors import BadInputError

HEADER: Final = "crocevia-on-denied"
"""The request header, in lower case."""


class OnDenied(StrEnum):
    """What is answered when a field is denied, whatever the row."""

    NULL = "null"
    """The field is null, with an error; the rest is answered."""
    REJECT = "reject"
    """Nothing is answered but every place that is denied."""


def wanted(headers: Mapping[str, str], agreed: OnDenied) -> OnDenied:
    """Return what a request wants; `headers` in lower case, `agreed` is the agreement's setting.

    Raises:
        BadInputError: the header is neither `null` nor `reject`.
    """
    written = headers.get(HEADER)
    if written is None:
        return agreed
    try:
        asked = OnDenied(written)
    except ValueError as error:
        raise BadInputError("header `Crocevia-On-Denied` is `null` or `reject`") from error
    return OnDenied.REJECT if OnDenied.REJECT in (asked, agreed) else OnDenied.NULL
