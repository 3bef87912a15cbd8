"""Automation rules and playbooks (comes with the automation issue)."""
