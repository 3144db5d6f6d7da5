"""The peer in Python: Strawberry and SQLAlchemy's selectinload, no policy: `python strawberry_peer.py URL PORT`."""

from __future__ import annotations

import sys
from typing import Any

import strawberry
import uvicorn
from sqlalchemy import ForeignKey, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship, selectinload
from strawberry.asgi import GraphQL
from strawberry.extensions import ParserCache, ValidationCache


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


@strawberry.type
class Citizen:
    """A citizen."""

    given_name: str
    family_name: str
    sex: str
    id: strawberry.ID = strawberry.field(resolver=lambda root: root.pid)
    date_of_birth: str = strawberry.field(resolver=lambda root: root.born[:4])
    address: Address | None
    cases: list[ServiceCase]


URL = sys.argv[1] if len(sys.argv) > 1 else "postgresql:///register"
ENGINE = create_async_engine(URL.replace("postgresql:", "postgresql+asyncpg:", 1))
SESSIONS = async_sessionmaker(ENGINE, expire_on_commit=False)


async def first_citizens(session: AsyncSession, first: int) -> Any:
    """Read residents with what is asked about them."""
    query = (
        select(CitizenRow)
        .where(CitizenRow.residency == "resident")
        .order_by(CitizenRow.pid)
        .limit(first)
        .options(selectinload(CitizenRow.address), selectinload(CitizenRow.cases))
    )
    return (await session.scalars(query)).all()


@strawberry.type
class Query:
    """The roots."""

    @strawberry.field
    async def citizens(self, first: int = 20) -> list[Citizen]:
        """Residents."""
        async with SESSIONS() as session:
            return await first_citizens(session, first)  # type: ignore[no-any-return]  # rows stand for the types


if __name__ == "__main__":
    schema = strawberry.Schema(Query, extensions=[ParserCache, ValidationCache])
    uvicorn.run(GraphQL(schema), port=int(sys.argv[2]), log_level="warning", access_log=False, lifespan="off")
