"""The first tables: what was written, and the outbox."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "written",
        sa.Column("id", _NUMBER, primary_key=True, autoincrement=True),
        sa.Column("mutation", sa.Text, nullable=False),
        sa.Column("consumer", sa.Text, nullable=False),
        sa.Column("idempotency_key", sa.Text, nullable=False),
        sa.Column("input_digest", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("record", sa.JSON, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
        sa.UniqueConstraint("consumer", "mutation", "idempotency_key", name="written_once"),
    )
    op.create_table(
        "outbox",
        sa.Column("seq", _NUMBER, primary_key=True, autoincrement=True),
        sa.Column("written", _NUMBER, sa.ForeignKey("written.id"), nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("type_name", sa.Text, nullable=False),
        sa.Column("fields", sa.JSON, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
    )
    op.create_index("outbox_subject", "outbox", ["subject"])
