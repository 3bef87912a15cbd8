"""Gatewatch: self-hosted API security for any gateway."""

__version__ = "0.1.0"
