"""What Alembic runs: the versions that are missing, on the connection that `node.own.upgrading` gives, all or none."""

from __future__ import annotations

from alembic import context

from node.own.tables import METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
