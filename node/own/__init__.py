"""The node's own tables: what was written through it, its outbox, their migrations, backup and restore."""
