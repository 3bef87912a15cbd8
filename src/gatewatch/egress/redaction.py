"""Takes secrets out of what comes back: servers repeat what they were sent in answers and errors."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote, quote_plus

__all__ = ["Redaction"]

_LEAST = 4
"""Shorter values stand in ordinary words."""
_MARK = "***"


class Redaction:
    """Of one request's secrets, in the forms in which they travel."""

    def __init__(self, secrets: Iterable[str]) -> None:
        """`secrets`: values."""
        forms: set[str] = set()
        for secret in secrets:
            if len(secret) >= _LEAST:
                encoded = base64.b64encode(secret.encode()).decode()
                forms |= {secret, quote(secret, safe=""), quote_plus(secret), quote(secret), encoded}
                forms |= {secret.replace("\\", "\\\\").replace('"', '\\"').replace("/", "\\/")}
        self._forms = sorted(forms, key=len, reverse=True)

    def text(self, text: str) -> str:
        """The text without secrets."""
        for form in self._forms:
            text = text.replace(form, _MARK)
        return text

    def value(self, value: Any) -> Any:
        """Plain data without secrets, names of members included."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list | tuple):
            return [self.value(one) for one in value]
        if isinstance(value, dict):
            return {self.text(str(name)): self.value(one) for name, one in value.items()}
        return value
