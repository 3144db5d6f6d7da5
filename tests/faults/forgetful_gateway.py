"""A gateway with a planted defect: each worker remembers used questions by itself, and forgets them at its end."""

from __future__ import annotations

from federation.contract.process_entry import run
from federation.gateway import process
from federation.gateway.app import serve
from federation.trust.replay import MemoryReplayStore


class _Forgetful(MemoryReplayStore):
    """Opened like the real one."""

    __slots__ = ()

    @classmethod
    def open(cls, _path: object, clock: object) -> _Forgetful:
        """Forget everything."""
        return cls(clock)  # type: ignore[arg-type]  # the gateway's own clock

    def require_working(self) -> None:
        """Work."""

    def close(self) -> None:
        """Let go of nothing."""


if __name__ == "__main__":
    vars(process)["SharedReplayStore"] = _Forgetful  # the defect
    run(serve, "federation.gateway")
