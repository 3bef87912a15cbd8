"""Logs and metrics of Gatewatch itself."""
