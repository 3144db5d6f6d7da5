"""`python -m federation.exchange --settings FILE`: the process of the pseudonym exchange."""

from federation.contract.process_entry import run
from federation.exchange.server import serve

run(serve, "federation.exchange")
