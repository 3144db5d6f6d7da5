"""What was last said of each consent through the node, given ones too, from what was written before."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the table in the place of that of withdrawals, and note the last word on each consent."""
    consent = op.create_table(
        "consent",
        sa.Column("subject", sa.Text, primary_key=True),
        sa.Column("purpose", sa.Text, primary_key=True),
        sa.Column("consumer", sa.Text, primary_key=True),
        sa.Column("given", sa.Boolean, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("expires", sa.Text),
    )
    written = sa.table(
        "written",
        sa.column("id", sa.BigInteger),
        sa.column("mutation", sa.Text),
        sa.column("subject", sa.Text),
        sa.column("record", sa.JSON),
    )
    connection = op.get_bind()
    last: dict[tuple[str, str, str], dict[str, object]] = {}
    for row in connection.execute(
        sa.select(written).where(written.c.mutation == "recordConsent").order_by(written.c.id)
    ):
        record = row.record
        name = (row.subject, record["purpose"], record.get("consumer") or "")
        last[name] = {"given": record["given"], "at": record["at"], "expires": record.get("expires")}
    rows = [
        {"subject": subject, "purpose": purpose, "consumer": consumer, **said}
        for (subject, purpose, consumer), said in last.items()
    ]
    if rows:
        connection.execute(sa.insert(consent), rows)
    op.drop_table("withdrawal")
