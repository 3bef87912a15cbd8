"""HTTP to Gatewatch, on the standard library."""

from __future__ import annotations

import urllib.request
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

__all__ = ["checked", "opened"]


def checked(url: str) -> str:
    """The address without a slash at its end. Raises ValueError when it is no http(s) address: a mistake of set-up."""
    if urlsplit(url).scheme not in ("http", "https"):
        raise ValueError("the address of Gatewatch must begin with http:// or https://")
    return url.rstrip("/")


def opened(url: str, headers: Mapping[str, str], *, timeout_s: float, data: bytes | None = None) -> Any:
    """The response, to be closed; a POST when there is `data`. `url` is one that was `checked`. Raises OSError."""
    request = urllib.request.Request(url, data=data, headers=dict(headers))  # noqa: S310 - scheme checked
    return urllib.request.urlopen(request, timeout=timeout_s)  # noqa: S310 - scheme checked
