"""A compiled plan in, one merged response out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from federation.execution.compiled import CompiledPlan
from federation.execution.respond import Response, respond
from federation.execution.run import Outside, Run


async def execute(plan: CompiledPlan, variables: Mapping[str, Any], outside: Outside, deadline: float) -> Response:
    """Run a plan: all fetches, then one response, partial where members failed.

    Args:
        plan: the compiled plan.
        variables: the client's variables as JSON values, defaults filled in.
        outside: see `Outside`; a plan with routed types needs a router.
        deadline: when the response must be ready, on the event loop's clock.
    """
    form = plan.form(variables)
    run = Run(form, variables, outside, deadline)
    await run.fetch(tuple(range(len(form.fetches))))
    return respond(run, plan.introspect(variables))
