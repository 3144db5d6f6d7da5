"""What planning refuses.

* PlanningError            PLANNING_FAILED        base: no plan for this operation
  - UnknownOperationError  OPERATION_UNKNOWN      the document has no operation of that name, or several and no name
  - UnanswerableError      OPERATION_UNANSWERABLE no combination of members answers a selected field
"""

from __future__ import annotations

from http import HTTPStatus
from typing import ClassVar

from federation.contract.errors import BadInputError


class PlanningError(BadInputError):
    """No plan can be made for the operation."""

    code: ClassVar[str] = "PLANNING_FAILED"
    status: ClassVar[HTTPStatus] = HTTPStatus.BAD_REQUEST


class UnknownOperationError(PlanningError):
    """The document does not hold the operation that was asked for."""

    code: ClassVar[str] = "OPERATION_UNKNOWN"


class UnanswerableError(PlanningError):
    """A selected field cannot be reached: no member resolves it from any object that can be had."""

    code: ClassVar[str] = "OPERATION_UNANSWERABLE"
