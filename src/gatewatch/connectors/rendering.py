"""A request from its template: filled, encoded, and refused where a value would change its form."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

import msgspec

from gatewatch.connectors.definition import Request
from gatewatch.errors import InputError
from gatewatch.ports.connectors import ConnectorError
from gatewatch.respond.conditions import evaluate, expressions_of, fill

__all__ = ["Rendered", "context_of", "render"]

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""A header's name, RFC 9110 5.6.2."""
_VALUE = re.compile(r"[\t\x20-\x7e]*")
_OURS = frozenset(
    {
        "authorization",
        "connection",
        "content-encoding",
        "content-length",
        "cookie",
        "expect",
        "host",
        "proxy-authorization",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
"""Headers that no template may set."""
_MOST_BODY_BYTES = 1024 * 1024
_HIDDEN = "$secret"
Secret = Callable[[str], str]


class Rendered(NamedTuple):
    """What is sent."""

    method: str
    url: str
    headers: dict[str, str]
    content: bytes


def context_of(
    inputs: Mapping[str, Any], known: tuple[str, ...], options: Mapping[str, str], key: str, site: str
) -> dict[str, Any]:
    """What expressions may name: every input that there is, null when it was not given."""
    given = {**dict.fromkeys(known), **inputs}
    lines = {name: [line for line in str(value or "").splitlines() if line.strip()] for name, value in given.items()}
    return {"inputs": given, "lines": lines, "options": dict(options), "key": key, "site": site}


def render(
    request: Request, context: Mapping[str, Any], *, address: str, secret: Secret, headers: Mapping[str, str]
) -> Rendered:
    """The request; `headers` are the connector's own. Raises ConnectorError, whose text has no value."""
    try:
        found = urlsplit(address if not request.url else str(fill(request.url, context)))
        path, query = _path(found.path, request.path, context), _query(request, found.query, context)
        url = urlunsplit((found.scheme, found.netloc, path, query, ""))
        body = None if request.body is None else _filled(request.body, context, secret)
        content, kind = _content(body, request.body_kind)
        own = {name.lower(): _header(name, _filled(value, context, secret)) for name, value in headers.items()}
        return Rendered(request.method, url, {**own, **_headers(request, context, secret), **kind}, content)
    except InputError as error:
        raise ConnectorError(f"the request can't be made: {error.message}") from error


def _path(before: str, template: str, context: Mapping[str, Any]) -> str:
    if not template:
        return before
    done = ""
    rest = template
    for expression in expressions_of(template):
        plain, _, rest = rest.partition("${" + expression + "}")
        done += plain + _segments(evaluate(expression, context))
    added = done + rest
    return before if added == "/" else before.rstrip("/") + added


def _segments(value: Any) -> str:
    """Encoded; a list is several segments."""
    parts = [str(part) for part in value] if isinstance(value, list | tuple) else [str(value)]
    if value is None or any(part in ("", ".", "..") for part in parts):
        raise ConnectorError("an input that becomes part of the path is empty or a dot")
    return "/".join(quote(part, safe="") for part in parts)


def _query(request: Request, before: str, context: Mapping[str, Any]) -> str:
    filled = _filled(request.query, context, _no_secret) or {}
    if not isinstance(filled, dict):
        raise ConnectorError("the query is no mapping")
    pairs = []
    for name, value in filled.items():
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, dict | list):
                raise ConnectorError(f"the value of {name} in the query is not a plain one")
            pairs.append((name, one if isinstance(one, str) else msgspec.json.encode(one).decode()))
    return "&".join(part for part in (before, urlencode(pairs, quote_via=quote)) if part)


def _headers(request: Request, context: Mapping[str, Any], secret: Secret) -> dict[str, str]:
    filled = _filled(request.headers, context, secret) or {}
    if not isinstance(filled, dict):
        raise ConnectorError("the headers are no mapping")
    made = {name.lower(): _header(name, value) for name, value in filled.items()}
    if taken := sorted(_OURS & set(made)):
        raise ConnectorError(f"the header {', '.join(taken)} can't be set by a request")
    return made


def _header(name: str, value: Any) -> str:
    if not _TOKEN.fullmatch(name):
        raise ConnectorError("a header has a name that can't be sent")
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    if not _VALUE.fullmatch(text):
        raise ConnectorError(f"the header {name} has a line break or another character that can't be sent")
    return text


def _content(body: Any, kind: str) -> tuple[bytes, dict[str, str]]:
    if body is None:
        return b"", {}
    if kind == "form":
        if not isinstance(body, dict):
            raise ConnectorError("a form is a mapping")
        content = urlencode({name: str(value) for name, value in body.items()}).encode()
        return content, {"content-type": "application/x-www-form-urlencoded"}
    content = msgspec.json.encode(body)
    if len(content) > _MOST_BODY_BYTES:
        raise ConnectorError(f"the request would have more than {_MOST_BODY_BYTES} octets")
    return content, {"content-type": "application/json"}


def _filled(template: Any, context: Mapping[str, Any], secret: Secret) -> Any:
    """Plain data; members that are null are left out, and mappings of which nothing is left."""
    if isinstance(template, str):
        return fill(template, context)
    if isinstance(template, list):
        found = [_filled(one, context, secret) for one in template]
        return [one for one in found if one is not None]
    if isinstance(template, dict):
        if set(template) == {_HIDDEN}:
            return secret(str(template[_HIDDEN]))
        pairs = {str(name): _filled(one, context, secret) for name, one in template.items()}
        kept = {name: one for name, one in pairs.items() if one is not None}
        return None if template and not kept else kept
    return template


def _no_secret(name: str) -> str:
    raise ConnectorError(f"the secret {name} does not belong into an address")
