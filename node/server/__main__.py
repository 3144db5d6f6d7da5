"""`python -m node.server --settings FILE`: the process of a node."""

from federation.contract.process_entry import run
from node.server.app import serve

run(serve, "node.server")
