"""The control store: alerts, findings, tokens, settings, in SQLite or PostgreSQL."""
