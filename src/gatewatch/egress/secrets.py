"""Secrets by reference: settings name an environment variable or a file, the value is read when it is needed."""

from __future__ import annotations

import os
from pathlib import Path

from gatewatch.config.references import SecretReference, is_reference
from gatewatch.egress.errors import SecretError

__all__ = ["SecretReference", "is_reference", "resolve"]


def resolve(reference: str) -> str:
    """The secret, without the line end of a file. Raises SecretError that names the reference, never a value."""
    kind, _, place = reference.partition(":")
    if kind == "env":
        value = os.environ.get(place, "")
    else:
        try:
            value = Path(place).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise SecretError(f"can't read the secret {reference}: {type(error).__name__}") from error
    if not value:
        raise SecretError(f"the secret {reference} is empty", cure="Set it; it is read again at the next attempt.")
    return value
