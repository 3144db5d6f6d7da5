"""`python -m federation.gateway --settings FILE`: the process of the gateway."""

from federation.contract.process_entry import run
from federation.gateway.app import serve

run(serve, "federation.gateway")
