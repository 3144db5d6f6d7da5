"""The peer in Python: Strawberry and SQLAlchemy, no policy: `python strawberry_peer.py URL [dataloaders] PORT`.

Relations are read with selectinload, or, with `dataloaders`, by two DataLoaders of a request.
"""

from __future__ import annotations

import sys
from typing import Any

import strawberry
import uvicorn
from sqlalchemy import ForeignKey, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship, selectinload
from strawberry.asgi import GraphQL
from strawberry.dataloader import DataLoader
from strawberry.extensions import ParserCache, ValidationCache
from typing_extensions import override


class Base(DeclarativeBase):
    """The register's tables."""


class CitizenRow(Base):
    """A citizen."""

    __tablename__ = "citizen"
    id: Mapped[int] = mapped_column(primary_key=True)
    pid: Mapped[str]
    given_name: Mapped[str]
    family_name: Mapped[str]
    born: Mapped[str]
    sex: Mapped[str]
    residency: Mapped[str]
    address: Mapped[AddressRow] = relationship(lazy="raise")
    cases: Mapped[list[CaseRow]] = relationship(lazy="raise", order_by="CaseRow.id")


class AddressRow(Base):
    """An address."""

    __tablename__ = "address"
    id: Mapped[int] = mapped_column(primary_key=True)
    citizen_id: Mapped[int] = mapped_column(ForeignKey("citizen.id"))
    street: Mapped[str]
    number: Mapped[str]
    post_code: Mapped[str]
    town: Mapped[str]


class CaseRow(Base):
    """A case."""

    __tablename__ = "service_case"
    id: Mapped[int] = mapped_column(primary_key=True)
    citizen_id: Mapped[int] = mapped_column(ForeignKey("citizen.id"))
    title: Mapped[str]
    status: Mapped[str]
    opened: Mapped[str]


@strawberry.type
class Address:
    """An address."""

    street: str
    number: str
    post_code: str
    town: str


@strawberry.type
class ServiceCase:
    """A case."""

    id: strawberry.ID
    title: str
    status: str
    opened_on: str = strawberry.field(resolver=lambda root: root.opened)


def loaders() -> dict[str, Any]:
    """Return the loaders of one request."""

    async def addresses(ids: list[int]) -> list[AddressRow | None]:
        async with SESSIONS() as session:
            found = (await session.scalars(select(AddressRow).where(AddressRow.citizen_id.in_(ids)))).all()
        by_citizen = {row.citizen_id: row for row in found}
        return [by_citizen.get(one) for one in ids]

    async def cases(ids: list[int]) -> list[list[CaseRow]]:
        async with SESSIONS() as session:
            wanted = select(CaseRow).where(CaseRow.citizen_id.in_(ids)).order_by(CaseRow.id)
            found = (await session.scalars(wanted)).all()
        by_citizen: dict[int, list[CaseRow]] = {}
        for row in found:
            by_citizen.setdefault(row.citizen_id, []).append(row)
        return [by_citizen.get(one, []) for one in ids]

    return {"addresses": DataLoader(addresses), "cases": DataLoader(cases)}


async def address_of(root: Any, info: strawberry.Info) -> Any:
    """Return an address, as the peer's way of reading has it."""
    return await info.context["addresses"].load(root.id) if DATALOADERS else root.address


async def cases_of(root: Any, info: strawberry.Info) -> Any:
    """Return the cases."""
    return await info.context["cases"].load(root.id) if DATALOADERS else root.cases


@strawberry.type
class Citizen:
    """A citizen."""

    given_name: str
    family_name: str
    sex: str
    id: strawberry.ID = strawberry.field(resolver=lambda root: root.pid)
    date_of_birth: str = strawberry.field(resolver=lambda root: root.born[:4])
    address: Address | None = strawberry.field(resolver=address_of)
    cases: list[ServiceCase] = strawberry.field(resolver=cases_of)


URL = sys.argv[1] if len(sys.argv) > 1 else "postgresql:///register"
DATALOADERS = "dataloaders" in sys.argv
ENGINE = create_async_engine(URL.replace("postgresql:", "postgresql+asyncpg:", 1))
SESSIONS = async_sessionmaker(ENGINE, expire_on_commit=False)


async def first_citizens(session: AsyncSession, first: int) -> Any:
    """Read residents with what is asked about them."""
    query = select(CitizenRow).where(CitizenRow.residency == "resident").order_by(CitizenRow.pid).limit(first)
    if not DATALOADERS:
        query = query.options(selectinload(CitizenRow.address), selectinload(CitizenRow.cases))
    return (await session.scalars(query)).all()


@strawberry.type
class Query:
    """The roots."""

    @strawberry.field
    async def citizens(self, first: int = 20) -> list[Citizen]:
        """Residents."""
        async with SESSIONS() as session:
            return await first_citizens(session, first)  # type: ignore[no-any-return]  # rows stand for the types


class App(GraphQL):
    """Gives each request its loaders."""

    @override
    async def get_context(self, request: Any, response: Any) -> Any:
        """Return the loaders."""
        return {"request": request, "response": response, **loaders()}


if __name__ == "__main__":
    schema = strawberry.Schema(Query, extensions=[ParserCache, ValidationCache])
    uvicorn.run(App(schema), port=int(sys.argv[-1]), log_level="warning", access_log=False, lifespan="off")
