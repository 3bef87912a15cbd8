"""Who a path is: normal host names and the 64-bit path id."""

from __future__ import annotations

import re
from hashlib import blake2b

__all__ = ["normal_host", "path_identity"]

_HOST = re.compile(r"[a-z0-9._-]{1,253}|\[[0-9a-f:.]{2,45}\]", re.ASCII)
_DEFAULT_PORTS = ("80", "443")
_LONGEST_KNOWN = 253
_REMEMBERED = 4_096
_known: dict[str, str] = {}


def normal_host(host: str) -> str:
    """Lower case, without default port and trailing dot; anything that can't be a host name gives ''."""
    found = _known.get(host)
    if found is None:
        found = _normal(host)
        if len(host) <= _LONGEST_KNOWN:
            if len(_known) >= _REMEMBERED:
                _known.clear()
            _known[host] = found
    return found


def _normal(host: str) -> str:
    text = host.strip().lower()
    name, colon, port = text.rpartition(":")
    suffix = ""
    if colon and port.isascii() and port.isdigit() and len(port) <= 5 and not name.endswith(":"):
        text, suffix = name, "" if port in _DEFAULT_PORTS else f":{port}"
    bare = text.rstrip(".")
    return bare + suffix if _HOST.fullmatch(bare) else ""


def path_identity(method: str, host: str, template: str, operation: str = "") -> int:
    """64-bit id of a path (BLAKE2b of `method 0 host 0 template 0 operation`); never `NO_PATH` (0)."""
    text = f"{method}\0{host}\0{template}\0{operation}"
    return int.from_bytes(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big") or 1
