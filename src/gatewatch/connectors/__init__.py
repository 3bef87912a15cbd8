"""Connectors for playbooks (comes with the automation issue)."""
