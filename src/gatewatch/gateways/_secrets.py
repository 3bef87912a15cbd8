"""Secrets by reference: settings name an environment variable or a file, the value is read when it is needed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import msgspec

from gatewatch.ports.gateways import GatewayAwayError

__all__ = ["SecretReference", "resolve"]

SecretReference = Annotated[
    str, msgspec.Meta(pattern=r"^(env:[A-Za-z_][A-Za-z0-9_]*|file:/.+)$", title="secret: `env:NAME` or `file:/path`")
]
"""`env:NAME` or `file:/absolute/path`."""


def resolve(reference: str) -> str:
    """The secret, without the line end of a file. Raises GatewayAwayError that names the reference, never a value."""
    kind, _, place = reference.partition(":")
    if kind == "env":
        value = os.environ.get(place, "")
    else:
        try:
            value = Path(place).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise GatewayAwayError(f"can't read the secret {reference}: {type(error).__name__}") from error
    if not value:
        raise GatewayAwayError(f"the secret {reference} is empty", cure="Set it; it is read again at the next attempt.")
    return value
