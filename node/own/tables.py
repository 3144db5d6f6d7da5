"""The node's own tables as they are now; how they came to be so is in `node.own.migrations`.

They stand apart from the register, which is only read: in `own.db` beside the ledger, or in PostgreSQL in a schema of
their own. The ledger, the subject keys and the replay cache are files with rules of their own (append only, erasable,
forgetful) and are not among them.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

METADATA: Final = MetaData()

_NUMBER: Final = BigInteger().with_variant(Integer, "sqlite")
"""SQLite counts rows by itself only in a column of exactly this type."""

WRITTEN: Final = Table(
    "written",
    METADATA,
    Column("id", _NUMBER, primary_key=True, autoincrement=True),
    Column("mutation", Text, nullable=False),
    Column("consumer", Text, nullable=False),
    Column("idempotency_key", Text, nullable=False),
    Column("input_digest", Text, nullable=False),  # the same key with another input is refused
    Column("subject", Text, nullable=False),  # this member's pseudonym of the citizen
    Column("record", JSON, nullable=False),
    Column("at", Text, nullable=False),
    UniqueConstraint("consumer", "mutation", "idempotency_key", name="written_once"),
)
"""What consumers wrote, one row for each mutation that was carried out."""

OUTBOX: Final = Table(
    "outbox",
    METADATA,
    Column("seq", _NUMBER, primary_key=True, autoincrement=True),
    Column("written", _NUMBER, ForeignKey("written.id"), nullable=False),
    Column("kind", Text, nullable=False),  # created or updated
    Column("type_name", Text, nullable=False),
    Column("fields", JSON, nullable=False),  # the names of the fields that have a new value
    Column("subject", Text, nullable=False),
    Column("at", Text, nullable=False),
    Index("outbox_subject", "subject"),
)
"""What happened, in order, for whoever asks after the last event that they have seen."""

FORGOTTEN: Final = Table(
    "forgotten",
    METADATA,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("at", Text, nullable=False),
)
"""The last event that is no longer kept, one row at most."""

SUBSCRIPTION: Final = Table(
    "subscription",
    METADATA,
    Column("consumer", Text, primary_key=True),
    Column("agreement", Text, primary_key=True),
    Column("purpose", Text, primary_key=True),
    Column("taken", BigInteger, nullable=False),  # the last event that the consumer says it took in
    Column("since", Text, nullable=False),
    Column("at", Text, nullable=False),
)
"""Who is told of changes, and how far each has come; without a consumer's name, the member's own system.

`at` is of the last day on which it asked.
"""

CONSENT: Final = Table(
    "consent",
    METADATA,
    Column("subject", Text, primary_key=True),
    Column("purpose", Text, primary_key=True),
    Column("consumer", Text, primary_key=True),  # empty for every consumer
    Column("given", Boolean, nullable=False),
    Column("at", Text, nullable=False),
    Column("expires", Text),  # its last day
)
"""What was last said of each consent through the node: given, or withdrawn."""
