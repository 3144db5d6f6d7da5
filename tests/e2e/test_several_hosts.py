"""Two hosts of the gateway and two of a member, over one PostgreSQL server: one answer, one count, one directory."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.several_hosts import Course
from tests.support.hosts import HOSTS, two_hosts
from tests.support.postgres import Server


@pytest.fixture
def database(postgres: Server) -> str:
    return postgres.database("two_hosts").url


@pytest.mark.postgres
async def test_two_hosts_answer_once_count_once_and_know_what_either_was_told(database: str, tmp_path: Path) -> None:
    async with two_hosts(tmp_path / "demo", database, citizens=10, workers=1) as hosts:
        course = Course(hosts)
        await course.learn(2)
        await course.one_of_two(5)
        await course.quota(3)
        await course.publication()
        await course.suspension()
        first = [each[0] for each in HOSTS.values()]
        hosts.kill(*first)
        citizen, code = await hosts.send(hosts.ask(course.citizens[0]), HOSTS["gateway"][1])
        assert citizen, code
        hosts.start(*first)
        await course.again(5)
        course.records()
        assert +course.faults == {}
