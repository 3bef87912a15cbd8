"""JSON web tokens lying in data."""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode

import msgspec

from gatewatch.observe.pattern import MatchValue, PatternMeta, Recognizer

__all__ = ["Jwt"]

_CANDIDATE = re.compile(r"(?<![\w-])(eyJ[\w-]{8,})\.(eyJ[\w-]{4,})\.[\w-]*")


class Jwt(Recognizer):
    """Three parts whose first decodes to a JOSE header."""

    meta = PatternMeta(
        id="jwt", title="JSON web token", references=("RFC 7519",), known_misses="Encrypted tokens (JWE)."
    )
    expressions = (rb"eyJ[\w-]{8,}\.eyJ[\w-]{4}",)

    def recognise(self, value: MatchValue) -> bool:
        """The header must be JSON with an `alg`."""
        return any(_header(match.group(1)) for match in _CANDIDATE.finditer(value.text))


def _header(part: str) -> bool:
    try:
        decoded = msgspec.json.decode(urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (ValueError, msgspec.DecodeError):
        return False
    return isinstance(decoded, dict) and isinstance(decoded.get("alg"), str)
