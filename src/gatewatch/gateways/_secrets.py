"""Secrets of gateways: a missing one is an attempt that can be made again."""

from __future__ import annotations

from gatewatch.config.references import SecretReference
from gatewatch.egress import secrets
from gatewatch.egress.errors import SecretError
from gatewatch.ports.gateways import GatewayAwayError

__all__ = ["SecretReference", "resolve"]


def resolve(reference: str) -> str:
    """The secret. Raises GatewayAwayError that names the reference, never a value."""
    try:
        return secrets.resolve(reference)
    except SecretError as error:
        raise GatewayAwayError(error.message, cure=error.cure) from error
