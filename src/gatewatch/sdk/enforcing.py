"""Containment inside applications: pulls what is in force, answers before the application is called.

Stands alone, on the standard library. While Gatewatch is away, the last known holds until it expires; calls pass.
"""

from __future__ import annotations

import json
import re
import threading
import time
import urllib.error
from collections.abc import Iterable
from ipaddress import ip_address, ip_network
from typing import Any, NamedTuple

from gatewatch.sdk.asgi import App as AsgiApp
from gatewatch.sdk.asgi import Receive, Scope, Send
from gatewatch.sdk.opening import checked, opened
from gatewatch.sdk.wsgi import App as WsgiApp
from gatewatch.sdk.wsgi import Environ, StartResponse

__all__ = ["Answer", "Enforcer", "EnforcingAsgi", "EnforcingWsgi"]

_REASONS = {403: "Forbidden", 429: "Too Many Requests", 503: "Service Unavailable"}
_STATUS = {"block": 403, "disable_endpoint": 503, "throttle": 429}
_MAX_ANSWER = 16 * 1024 * 1024


class Answer(NamedTuple):
    """What a refused call gets."""

    status: int
    retry_after_s: int = 0


class _Entry(NamedTuple):
    id: str
    effect: str
    network: Any
    subject: str
    place: tuple[str, str, re.Pattern[str]] | None
    calls: int
    per_s: int
    expires_at: float


class Enforcer:
    """Pulls in a thread of its own; one for all applications of a process."""

    def __init__(
        self, url: str, token: str, *, poll_s: float = 5.0, trusted_proxies: Iterable[str] = (), timeout_s: float = 10.0
    ) -> None:
        """`token` is of role `gateway`. X-Forwarded-For counts only behind `trusted_proxies` (networks).

        Raises ValueError for what is no http(s) address or no network: a mistake of set-up.
        """
        self._url, self._token, self._poll_s, self._timeout_s = checked(url), token, poll_s, timeout_s
        self._trusted = [ip_network(text, strict=False) for text in trusted_proxies]
        self._entries: tuple[_Entry, ...] = ()
        self._etag, self._lock = "", threading.Lock()
        self._buckets: dict[str, tuple[float, float]] = {}
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self.failures = 0
        """Pulls that failed since one worked."""

    def judge(
        self, *, peer: str, forwarded_for: str, method: str, host: str, path: str, user: str = ""
    ) -> Answer | None:
        """None to let a call pass. `path` as sent, without query. Never raises, never waits."""
        self._ensure_thread()
        if not self._entries:
            return None
        address, now, name = self._client(peer, forwarded_for), time.time(), _named(host)
        for entry in self._entries:
            if entry.expires_at <= now or not _fits(entry, address, user, method, name, path):
                continue
            if entry.effect != "throttle":
                return Answer(_STATUS[entry.effect])
            if wait_s := self._spent(entry, now):
                return Answer(429, wait_s)
        return None

    def pull(self) -> bool:
        """Once, now; whether it worked."""
        headers = {"x-api-key": self._token, "if-none-match": self._etag}
        try:
            with opened(f"{self._url}/v1/enforcements", headers, timeout_s=self._timeout_s) as response:
                items = json.loads(response.read(_MAX_ANSWER))["items"]
                entries = tuple(entry for item in items if (entry := _entry(item)) is not None)
                self._etag, self._entries = response.headers.get("etag", ""), entries
        except urllib.error.HTTPError as error:
            error.close()
            if error.code != 304:
                self.failures += 1
                return False
        except (OSError, ValueError, KeyError, TypeError):
            self.failures += 1
            return False
        self.failures = 0
        return True

    def close(self) -> None:
        """No more pulls; what is known holds until it expires."""
        self._stopping.set()

    def _ensure_thread(self) -> None:
        # Started with the first call, so that a server that forks its workers gets a thread in each of them.
        if self._thread is not None and self._thread.is_alive():
            return
        with self._lock:
            if (self._thread is None or not self._thread.is_alive()) and not self._stopping.is_set():
                self._thread = threading.Thread(target=self._run, name="gatewatch-enforcer", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while not self._stopping.is_set():
            self.pull()
            self._stopping.wait(self._poll_s)

    def _client(self, peer: str, forwarded_for: str) -> Any:
        found = _address(peer)
        for hop in reversed(forwarded_for.split(",")[-32:] if forwarded_for else []):
            if found is None or not any(found in network for network in self._trusted):
                break
            before = _address(hop)
            if before is None:
                break
            found = before
        return found

    def _spent(self, entry: _Entry, now: float) -> int:
        """Seconds to wait when the bucket is empty; 0 when there was one left."""
        with self._lock:
            left, at = self._buckets.get(entry.id, (float(entry.calls), now))
            left = min(float(entry.calls), left + max(0.0, now - at) * entry.calls / entry.per_s)
            self._buckets[entry.id] = (left - 1.0 if left >= 1.0 else left), now
            return 0 if left >= 1.0 else max(1, round((1.0 - left) * entry.per_s / entry.calls))


class EnforcingAsgi:
    """Wraps an ASGI application; put it inside of GatewatchAsgi, so that what it refuses is seen too."""

    def __init__(self, app: AsgiApp, enforcer: Enforcer) -> None:
        """`enforcer` may be shared."""
        self._app, self._enforcer = app, enforcer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer or pass on."""
        answer = self._judge(scope) if scope["type"] == "http" else None
        if answer is None:
            await self._app(scope, receive, send)
            return
        headers = [(name.encode(), value.encode()) for name, value in _headers(answer)]
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": b""})

    def _judge(self, scope: Scope) -> Answer | None:
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope.get("headers", ())}
        raw = scope.get("raw_path") or scope.get("path", "/").encode()
        user = getattr(scope.get("user"), "username", None) or getattr(scope.get("user"), "display_name", None)
        return self._enforcer.judge(
            peer=str((scope.get("client") or ("",))[0]),
            forwarded_for=headers.get("x-forwarded-for", ""),
            method=scope.get("method", ""),
            host=headers.get("host", ""),
            path=raw.decode("latin-1").partition("?")[0],
            user=user if isinstance(user, str) else "",
        )


class EnforcingWsgi:
    """Wraps a WSGI application; put it inside of GatewatchWsgi."""

    def __init__(self, app: WsgiApp, enforcer: Enforcer) -> None:
        """`enforcer` may be shared."""
        self._app, self._enforcer = app, enforcer

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer or pass on."""
        answer = self._enforcer.judge(
            peer=str(environ.get("REMOTE_ADDR", "")),
            forwarded_for=str(environ.get("HTTP_X_FORWARDED_FOR", "")),
            method=str(environ.get("REQUEST_METHOD", "")),
            host=str(environ.get("HTTP_HOST") or environ.get("SERVER_NAME") or ""),
            path=str(environ.get("SCRIPT_NAME", "")) + str(environ.get("PATH_INFO", "")) or "/",
            user=str(environ.get("REMOTE_USER") or ""),
        )
        if answer is None:
            return self._app(environ, start_response)
        start_response(f"{answer.status} {_REASONS[answer.status]}", _headers(answer))
        return [b""]


def _headers(answer: Answer) -> list[tuple[str, str]]:
    found = [("content-length", "0"), ("cache-control", "no-store")]
    return [*found, ("retry-after", str(answer.retry_after_s))] if answer.retry_after_s else found


def _address(text: str) -> Any:
    text = text.strip().strip('"')
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        found = ip_address(text)
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found


def _named(host: str) -> str:
    """Without port; an IPv6 address keeps its brackets."""
    address, bracket, _ = host.lower().partition("]")
    return address + bracket if bracket else address.partition(":")[0]


def _fits(entry: _Entry, address: Any, user: str, method: str, host: str, path: str) -> bool:
    if entry.network is not None and (address is None or address not in entry.network):
        return False
    if entry.subject and entry.subject != user:
        return False
    if entry.place is None:
        return True
    wanted, name, pattern = entry.place
    return (not wanted or wanted == method) and (not name or name == host) and pattern.search(path) is not None


def _entry(item: dict[str, Any]) -> _Entry | None:
    """None for what this version of the middleware can't enforce: a newer Gatewatch may say more."""
    kind, value, place = item["scope"]["kind"], str(item["scope"]["value"]), item["place"]
    network = ip_network(value.removeprefix("address:"), strict=False) if _is_network(kind, value) else None
    subject = value.removeprefix("subject:") if kind == "actor" and value.startswith("subject:") else ""
    if item["effect"] not in _STATUS or not (network or subject or place):
        return None
    where = None
    if place is not None:
        where = place["method"], _named(place["host"]), re.compile(place["pattern"], re.DOTALL)
    return _Entry(
        id=item["id"],
        effect=item["effect"],
        network=network,
        subject=subject,
        place=where,
        calls=int(item["calls"] or 1),
        per_s=int(item["per_s"]),
        expires_at=float(item["expires_at"]),
    )


def _is_network(kind: str, value: str) -> bool:
    return kind in {"address", "range"} or (kind == "actor" and value.startswith("address:"))
