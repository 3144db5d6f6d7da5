"""What a party does beside answering."""

from __future__ import annotations

import asyncio

import pytest

from federation.serving.background import beside


async def test_work_goes_on_for_as_long_as_the_block_and_ends_with_it() -> None:
    seen: list[str] = []

    async def work() -> None:
        try:
            seen.append("begun")
            await asyncio.Event().wait()
        finally:
            seen.append("ended")

    async with beside(work(), work()):
        await asyncio.sleep(0)
        assert seen == ["begun", "begun"]
    assert seen == ["begun", "begun", "ended", "ended"]


async def test_work_that_fails_is_named_at_once_and_the_rest_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    rest = asyncio.Event()

    async def fails() -> None:
        raise ValueError("a reason")

    async def goes_on() -> None:
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        rest.set()
        await asyncio.Event().wait()

    async with beside(fails(), goes_on()):
        await rest.wait()
        (told,) = [record.getMessage() for record in caplog.records]
        assert told.startswith("background work `test_work_that_fails")
        assert told.endswith("fails` failed and will not run until a restart")
