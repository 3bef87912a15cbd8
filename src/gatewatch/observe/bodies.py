"""Bodies of every media type as leaves; what can't be decoded is still looked at as text."""

from __future__ import annotations

import email.parser
import email.policy
from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl
from xml.etree.ElementTree import ParseError

import msgspec
from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from gatewatch.model.observe_settings import LimitSettings
from gatewatch.observe.compression import decompressed
from gatewatch.observe.graphql_body import literals, looks_like_graphql, operation
from gatewatch.observe.leaves import Cuts, Leaf, flatten, safe_name

__all__ = ["Body", "decode_body", "media_type"]

_JSON = msgspec.json.Decoder()
_BINARY = (
    "image/",
    "audio/",
    "video/",
    "font/",
    "application/pdf",
    "application/zip",
    "application/octet-stream",
    "application/grpc",
)
_MAX_PARTS = 64
_REMEMBERED_CHARS = 128


class Body(msgspec.Struct):
    """A decoded body."""

    text: str = ""
    """For patterns: the whole body as text, decoded from its content coding; '' for binary ones."""
    data: bytes = b""
    """The same as octets."""
    leaves: list[Leaf] = []
    content: Any = None
    """Decoded JSON, else None."""
    operation: str = ""
    """GraphQL operation or JSON-RPC method."""


@lru_cache(maxsize=1024)
def _media(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()


def media_type(headers: Mapping[str, str]) -> str:
    """Content-Type without parameters, lower case."""
    content_type = headers.get("content-type", "")
    return _media(content_type) if len(content_type) <= _REMEMBERED_CHARS else _media.__wrapped__(content_type)


def decode_body(
    data: bytes, headers: Mapping[str, str], limits: LimitSettings, cuts: Cuts, *, side: str, leaves: bool = True
) -> Body:
    """Decode by media type, or by looking when it says nothing. `side` names the cut: request_body, response_body.

    With `leaves` False JSON is decoded but not flattened (for responses that hold nothing of interest).
    """
    if coding := headers.get("content-encoding"):
        data, more = decompressed(data, coding, limit=limits.decompressed_bytes)
        if more:
            cuts.add("decompression")
    elif len(data) > limits.decompressed_bytes:
        data = data[: limits.decompressed_bytes]
        cuts.add(side)
    media = media_type(headers)
    if media.startswith(_BINARY) and not media.endswith("+xml") and data[:1] not in (b"{", b"["):
        return Body()
    first = data.lstrip()[:1]
    if "json" in media or first in (b"{", b"["):
        body = _json(data, limits, cuts, leaves=leaves)
    elif media == "application/x-www-form-urlencoded":
        body = Body(data=data, leaves=_form(_text(data), limits, cuts))
    elif media.startswith("multipart/"):
        body = _multipart(data, headers.get("content-type", ""), limits, cuts)
    elif "xml" in media or first == b"<":
        body = _xml(data, limits, cuts, parse="html" not in media)
    elif media == "application/graphql":
        text = _text(data)
        body = Body(data=data, leaves=[Leaf("query", text, "string"), *_literals(text, "")], operation=operation(text))
    elif b"\x00" in data[:512]:
        return Body()
    else:
        body = Body(data=data, leaves=[Leaf("body", _text(data), "string")] if data else [])
    body.data = data
    return body


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def _json(data: bytes, limits: LimitSettings, cuts: Cuts, *, leaves: bool) -> Body:
    try:
        content = _JSON.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        lines = [line for line in data.splitlines() if line.strip()]
        content = _json_lines(lines) if len(lines) > 1 else None
        if content is None:
            # Cut or broken: patterns still see the text.
            return Body(data=data, leaves=[Leaf("body", _text(data), "string")])
    body = Body(data=data, content=content, leaves=flatten(content, limits, cuts) if leaves else [])
    body.operation = _operation(content)
    if leaves and body.operation:
        body.leaves += _written(content)
    return body


def _json_lines(lines: list[bytes]) -> list[Any] | None:
    try:
        return [_JSON.decode(line) for line in lines]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _operation(content: object) -> str:
    if isinstance(content, list) and content and isinstance(content[0], dict):
        found = sorted({name for item in content[:8] if isinstance(item, dict) and (name := _operation(item))})
        return " + ".join(found)[:200]
    if not isinstance(content, dict):
        return ""
    query = content.get("query")
    if isinstance(query, str) and looks_like_graphql(query):
        named = content.get("operationName")
        return operation(query, named if isinstance(named, str) else "")
    if "jsonrpc" in content and isinstance(content.get("method"), str):
        return safe_name(str(content["method"]))
    return ""


def _written(content: object) -> list[Leaf]:
    """Values inside GraphQL documents; a batch holds several."""
    found: list[Leaf] = []
    for item in content[:8] if isinstance(content, list) else [content]:
        if isinstance(item, dict) and isinstance(query := item.get("query"), str) and looks_like_graphql(query):
            named = item.get("operationName")
            found += _literals(query, named if isinstance(named, str) else "")
    return found


def _literals(document: str, name: str) -> list[Leaf]:
    return [Leaf(safe_name(path), value, kind) for path, value, kind in literals(document, name)]


def _form(text: str, limits: LimitSettings, cuts: Cuts) -> list[Leaf]:
    pairs = text.split("&")
    if len(pairs) > limits.members:
        cuts.add("members")
    found = []
    for pair in pairs[: limits.members]:
        for name, value in parse_qsl(pair, keep_blank_values=True, errors="replace"):
            found.append(Leaf(safe_name(name), value, "string"))
    return found


def _multipart(data: bytes, content_type: str, limits: LimitSettings, cuts: Cuts) -> Body:
    head = b"Content-Type: " + content_type.encode("latin-1", "replace") + b"\r\n\r\n"
    message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + data)
    found: list[Leaf] = []
    for index, part in enumerate(message.iter_parts() if message.is_multipart() else ()):
        if index >= min(_MAX_PARTS, limits.members):
            cuts.add("members")
            break
        label = safe_name(str(part.get_param("name", "", header="content-disposition") or f"part{index}"))
        file_name = part.get_filename()
        if file_name:
            found.append(Leaf(f"{label}.filename", str(file_name), "string"))
        payload = part.get_payload(decode=True)
        textual = part.get_content_maintype() == "text" or part.get_content_subtype().endswith(("json", "xml"))
        if isinstance(payload, bytes) and (textual or (not file_name and b"\x00" not in payload[:256])):
            found.append(Leaf(label, _text(payload), "string"))
    return Body(data=data, leaves=found)


def _xml(data: bytes, limits: LimitSettings, cuts: Cuts, *, parse: bool) -> Body:
    text = Leaf("body", _text(data), "string")
    if not parse:
        return Body(data=data, leaves=[text])
    try:
        root = fromstring(data, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, RecursionError):
        # Entities are never expanded; the raw text goes to the indicators.
        return Body(data=data, leaves=[text])
    # Well-formed, but the parser's view loses what includes other documents.
    found: list[Leaf] = [text] if b"XInclude" in data else []
    stack = [(root, _local(root.tag), 1)]
    while stack:
        element, path, depth = stack.pop()
        if len(found) >= limits.members or depth > limits.depth:
            cuts.add("members" if depth <= limits.depth else "depth")
            break
        for name, value in element.attrib.items():
            found.append(Leaf(f"{path}.@{safe_name(_local(name))}", value, "string"))
        if element.text and element.text.strip():
            found.append(Leaf(path, element.text.strip(), "string"))
        stack.extend((child, f"{path}.{safe_name(_local(child.tag))}", depth + 1) for child in reversed(element))
    return Body(data=data, leaves=found)


def _local(tag: object) -> str:
    return str(tag).rpartition("}")[2]
