"""`python -m federation.membership --settings FILE`: the process that publishes the registry."""

from federation.contract.process_entry import run
from federation.membership.publisher import serve

run(serve, "federation.membership")
