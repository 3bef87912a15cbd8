"""How settings name a secret instead of holding it."""

from __future__ import annotations

from typing import Annotated

import msgspec

__all__ = ["SecretReference", "is_reference"]

SecretReference = Annotated[
    str, msgspec.Meta(pattern=r"^(env:[A-Za-z_][A-Za-z0-9_]*|file:/.+)$", title="secret: `env:NAME` or `file:/path`")
]
"""`env:NAME` or `file:/absolute/path`."""

_KINDS = ("env:", "file:")


def is_reference(text: str) -> bool:
    """Whether a setting that may be either names a secret."""
    return text.startswith(_KINDS)
