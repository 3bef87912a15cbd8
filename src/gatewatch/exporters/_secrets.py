"""Secrets of transports: a missing one is a delivery that can be tried again."""

from __future__ import annotations

from gatewatch.egress import secrets
from gatewatch.egress.errors import SecretError
from gatewatch.egress.secrets import SecretReference
from gatewatch.ports.export import DeliveryError

__all__ = ["SecretReference", "resolve"]


def resolve(reference: str) -> str:
    """The secret. Raises DeliveryError that names the reference, never a value."""
    try:
        return secrets.resolve(reference)
    except SecretError as error:
        raise DeliveryError(error.message, cure=error.cure) from error
