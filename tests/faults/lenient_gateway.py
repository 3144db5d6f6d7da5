"""A gateway with planted defects: it reads lenient JSON, and suggests names."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

from graphql import validate

from federation.contract import graphql_request
from federation.contract.process_entry import run
from federation.gateway import questions
from federation.gateway.app import serve


def _suggesting(*arguments: Any, **named: Any) -> Any:
    return validate(*arguments, **(named | {"hide_suggestions": False}))


if __name__ == "__main__":
    vars(graphql_request)["strict_json"] = partial(json.loads)  # the defects
    vars(questions)["validate"] = _suggesting
    run(serve, "federation.gateway")
