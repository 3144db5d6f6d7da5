"""A gateway with a planted defect: it believes messages of clocks that differ by a day."""

from __future__ import annotations

from federation.contract.process_entry import run
from federation.gateway.app import serve
from tests.faults.patient_node import wait_a_day

if __name__ == "__main__":
    wait_a_day()  # the defect
    run(serve, "federation.gateway")
