"""JSON access logs of nginx and Apache, written with the snippets that Gatewatch ships (`sources/snippets`)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from gatewatch.model.observation import Evidence
from gatewatch.model.rejection import Rejection, RejectionReason
from gatewatch.model.transaction import Transaction
from gatewatch.ports.wire import Origin, WireFormatMeta
from gatewatch.sources.access_log import log_time, split_request, split_target
from gatewatch.sources.lines import LineFormat, refuse

__all__ = ["JsonAccessLog"]

_DECODER = msgspec.json.Decoder(dict[str, Any])
_HEADERS = {
    "Host": ("host", "http_host"),
    "User-Agent": ("http_user_agent", "user_agent"),
    "Referer": ("http_referer", "referer"),
    "Authorization": ("http_authorization", "authorization"),
    "Cookie": ("http_cookie",),
    "X-Forwarded-For": ("http_x_forwarded_for", "x_forwarded_for"),
    "X-API-Key": ("http_x_api_key",),
    "Content-Type": ("content_type", "http_content_type"),
    "Accept": ("http_accept",),
}
_ESCAPE = re.compile(rb"\\(x([0-9A-Fa-f]{2})|.)", re.DOTALL)
"""nginx's `escape=json` passes octets that are no UTF-8 on as they are; Apache writes `\\xhh` and `\\v`, which JSON has
not (https://httpd.apache.org/docs/2.4/mod/mod_log_config.html, format notes)."""
_TIMES = ("time_iso8601", "time", "time_local", "timestamp")


def _text(item: Mapping[str, Any], *names: str) -> str:
    for name in names:
        value = item.get(name)
        if value not in (None, "", "-"):
            return str(value)
    return ""


def _number(text: str) -> float | None:
    """First number of a value; upstream times may be lists such as `0.010, 0.020 : 0.001`."""
    try:
        return float(text.replace(":", ",").split(",")[0].strip())
    except ValueError:
        return None


def _time(item: Mapping[str, Any]) -> float | None:
    if msec := _text(item, "msec"):
        return _number(msec)
    stamp = _text(item, *_TIMES)
    return log_time(stamp) if len(stamp) > 3 else None


class JsonAccessLog(LineFormat):
    """One object a line with the variable names of nginx."""

    meta = WireFormatMeta(
        id="json-access-log",
        title="JSON access log (nginx, Apache)",
        description="Written with the shipped `log_format` or `LogFormat`; carries the headers chosen there.",
        evidence=Evidence.PATH
        | Evidence.CLIENT_ADDRESS
        | Evidence.USER_AGENT
        | Evidence.REQUEST_HEADERS
        | Evidence.IDENTITY
        | Evidence.LATENCY
        | Evidence.SIZES,
        references=("https://nginx.org/en/docs/http/ngx_http_log_module.html#log_format",),
    )

    def sniff(self, head: bytes, name: str) -> float:
        """Sure when the first line has a client and a request under nginx's names."""
        del name
        first = head.lstrip().split(b"\n", 1)[0]
        known = b'"remote_addr"' in first and (b'"request_uri"' in first or b'"request"' in first or b'"uri"' in first)
        return 0.9 if first.startswith(b"{") and known else 0.0

    def read_line(self, line: bytes, number: int, origin: Origin) -> Transaction | Rejection:
        """Decode one object."""
        item = _object(line)
        if item is None:
            return refuse(RejectionReason.MALFORMED, "not a JSON object", number, line)
        ts = _time(item)
        if ts is None or not 0 <= ts < 7_258_118_400:
            return refuse(
                RejectionReason.MISSING_MEMBER, "no readable `msec`, `time_iso8601` or `time_local`", number, line
            )
        method, target = _text(item, "request_method", "method"), _text(item, "request_uri", "uri")
        if not method or not target:
            if not item.keys() & {"request", "request_uri", "uri"}:
                detail = "no `request_method` and `request_uri`, and no `request`"
                return refuse(RejectionReason.MISSING_MEMBER, detail, number, line)
            # A request that the server refused to parse keeps its place.
            method, target, _ = split_request(_text(item, "request"))
        return _transaction(item, ts, method, target, f"{origin.position}:{number}")


def _object(line: bytes) -> dict[str, Any] | None:
    """The line's object, also when a client's odd octets made it something else than JSON; None when it is none."""
    try:
        return _DECODER.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    try:
        return _DECODER.decode(_ESCAPE.sub(_as_json, line).decode("utf-8", "replace"))
    except (msgspec.DecodeError, RecursionError):
        return None


def _as_json(escape: re.Match[bytes]) -> bytes:
    code, kind = escape.group(2), escape.group(1)
    if code:
        octet = int(code, 16)
        return bytes([octet]) if octet > 127 else b"\\u00" + code
    return b"\\u000b" if kind == b"v" else escape.group()


def _transaction(item: Mapping[str, Any], ts: float, method: str, target: str, generated: str) -> Transaction:
    scheme, host, path, query = split_target(target)
    status = _text(item, "status")
    latency = _number(_text(item, "request_time"))
    body = _text(item, "request_body")
    size = _text(item, "body_bytes_sent", "bytes_sent")
    headers = [(name, value) for name, names in _HEADERS.items() if (value := _text(item, *names))]
    return Transaction(
        id=_text(item, "request_id") or generated,
        ts=ts,
        method=method,
        path=path,
        scheme=scheme or _text(item, "scheme"),
        host=host or _text(item, "host", "http_host", "server_name"),
        query=query or _text(item, "args", "query_string"),
        http_version=_text(item, "server_protocol").removeprefix("HTTP/"),
        # The snippet logs Authorization even when empty, so its absence in a line means that none was sent.
        request_headers=[*headers, ("X-Gatewatch-Log", "headers")] if "http_authorization" in item else headers,
        request_body=body.encode("utf-8", "surrogatepass") if body else None,
        status=int(status) if status.isdecimal() and status.isascii() and len(status) == 3 else 0,
        latency_ms=latency * 1000 if latency is not None else None,
        response_size=int(size) if size.isdecimal() and size.isascii() else None,
        client_ip=_text(item, "remote_addr", "realip_remote_addr", "client_ip"),
        user=_text(item, "remote_user") or None,
        client_certificate=_text(item, "ssl_client_s_dn") or None,
    )
