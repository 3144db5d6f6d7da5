"""Our own open mode as one process: `python ours.py SUPERGRAPH PORT`."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3]))

from federation.composition.supergraph import Supergraph  # found through the line above
from federation.gateway.open_graph import OpenSettings
from federation.gateway.open_server import serve

if __name__ == "__main__":
    serve(Supergraph.parse(Path(sys.argv[1]).read_text()), "127.0.0.1", int(sys.argv[2]), OpenSettings())
