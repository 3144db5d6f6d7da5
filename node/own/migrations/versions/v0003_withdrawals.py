"""Consents that were withdrawn through the node, from those that were written before too."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the table, and note what was withdrawn and not given again."""
    withdrawal = op.create_table(
        "withdrawal",
        sa.Column("subject", sa.Text, primary_key=True),
        sa.Column("purpose", sa.Text, primary_key=True),
        sa.Column("consumer", sa.Text, primary_key=True),
        sa.Column("day", sa.Text, nullable=False),
    )
    written = sa.table(
        "written",
        sa.column("id", sa.BigInteger),
        sa.column("mutation", sa.Text),
        sa.column("subject", sa.Text),
        sa.column("record", sa.JSON),
    )
    connection = op.get_bind()
    last: dict[tuple[str, str, str], str | None] = {}
    consents = sa.select(written).where(written.c.mutation == "recordConsent").order_by(written.c.id)
    for row in connection.execute(consents):
        record = row.record
        name = (row.subject, record["purpose"], record.get("consumer") or "")
        last[name] = None if record["given"] else record["at"][:10]
    rows = [
        {"subject": subject, "purpose": purpose, "consumer": consumer, "day": day}
        for (subject, purpose, consumer), day in last.items()
        if day is not None
    ]
    if rows:
        connection.execute(sa.insert(withdrawal), rows)
