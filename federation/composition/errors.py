"""What composition reports: findings with the codes of the federation ecosystem, gathered into one error.

* CompositionError    COMPOSITION_FAILED   the subgraphs do not compose; every finding has its own code
* SupergraphError     SUPERGRAPH_INVALID   a supergraph document cannot be read
"""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, ClassVar

from typing_extensions import override

from federation.contract.errors import BadInputError

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Finding:
    """One reason why subgraphs do not compose, or one hint about a composition that does.

    `code` is the name every federation user knows (`INVALID_FIELD_SHARING`, …). `coordinates` are schema coordinates
    (`Type`, `Type.field`, `Type.field(argument:)`, `@directive`), `subgraphs` the names of those who must act.
    """

    code: str
    message: str
    subgraphs: tuple[str, ...] = ()
    coordinates: tuple[str, ...] = ()

    @override
    def __str__(self) -> str:
        return f"{self.code}: {self.message}"


class CompositionError(BadInputError):
    """The subgraphs do not compose."""

    code: ClassVar[str] = "COMPOSITION_FAILED"
    status: ClassVar[HTTPStatus] = HTTPStatus.BAD_REQUEST

    def __init__(self, findings: Sequence[Finding]) -> None:
        """Keep every finding; the message lists them all, one per line."""
        self.findings = tuple(findings)
        super().__init__("\n".join(str(finding) for finding in self.findings))


class SupergraphError(BadInputError):
    """The text is not a supergraph that follows the join specification."""

    code: ClassVar[str] = "SUPERGRAPH_INVALID"
    status: ClassVar[HTTPStatus] = HTTPStatus.BAD_REQUEST
