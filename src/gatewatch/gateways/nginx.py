"""nginx, by two files that its configuration includes; tested before nginx is told to read them."""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from typing import Any, ClassVar

import msgspec

from gatewatch.errors import ConfigurationError
from gatewatch.gateways import _files, _programs
from gatewatch.gateways._desired import sorted_out
from gatewatch.gateways._http import Http, HttpSettings
from gatewatch.gateways._nginx_rules import http_part, server_part
from gatewatch.model.containment import Effect, ScopeKind
from gatewatch.model.enforcement import Agreement, Enforcement, mark
from gatewatch.ports.gateways import Ability, Gateway, GatewayAwayError, GatewayMeta, RefusedError, Site

__all__ = ["Nginx", "NginxSettings"]

_ADDRESSES = (ScopeKind.ADDRESS, ScopeKind.RANGE)
_PLACES = (ScopeKind.ENDPOINT, ScopeKind.COLLECTION)
_HTTP, _SERVER, _UNTOLD = "http.conf", "server.conf", "untested"
_ENTRY = re.compile(r"^# entry ([a-z0-9-]{1,40}) ([0-9a-f]{10})$", re.MULTILINE)
_LOADED_S, _POLL_S = 10.0, 0.05
_LEAVING_S = 0.5
"""While nginx reloads, a new connection may still be taken by a worker on its way out."""


class NginxSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of one nginx."""

    directory: str
    """Where `http.conf` and `server.conf` are written; nginx includes them."""
    test: tuple[str, ...] = ("nginx", "-t", "-q")
    """Command that ends well when the whole configuration can be loaded."""
    pid_file: str = "/run/nginx.pid"
    """Its process gets SIGHUP."""
    status_url: str = ""
    """Location of the snippet that answers with the version in force; '' believes the files."""


class Nginx(Gateway):
    """Own files; the user's are never touched, and a file that nginx would not load does not stay."""

    meta: ClassVar[GatewayMeta] = GatewayMeta(
        id="nginx",
        title="nginx",
        description=(
            "Two included files, written whole; `nginx -t` judges them before SIGHUP, and the previous ones come back "
            "when it says no. Who calls is `$remote_addr`, after the realip module."
        ),
        abilities=(
            Ability(effect=Effect.BLOCK, scopes=(*_ADDRESSES, *_PLACES), narrowed=_ADDRESSES, note="403"),
            Ability(
                effect=Effect.THROTTLE,
                scopes=(*_ADDRESSES, *_PLACES),
                narrowed=_ADDRESSES,
                note="429; as calls a minute, with the calls of one period as burst",
            ),
            Ability(effect=Effect.DISABLE_ENDPOINT, scopes=_PLACES, note="503"),
        ),
        enforces="`geo`, `map`, `return`, `limit_req` in included files",
        delay="one reload, some 50 ms; workers that drain serve open connections by the old rules",
        after_restart="Everything: the files stay.",
        limits="A `limit_req` inside a location of the user's replaces ours there; so does his own `limit_req_status`.",
        setup="nginx.conf",
        references=(
            "https://nginx.org/en/docs/http/ngx_http_geo_module.html",
            "https://nginx.org/en/docs/http/ngx_http_limit_req_module.html",
            "https://nginx.org/en/docs/control.html",
        ),
    )
    settings: ClassVar[type[msgspec.Struct]] = NginxSettings

    def __init__(self, settings: Any, site: Site) -> None:
        """Opens nothing."""
        given: NginxSettings = settings
        if not Path(given.directory).is_absolute() or not given.test:
            raise ConfigurationError("nginx needs an absolute directory and a command that tests its configuration")
        self._given, self._site, self._waiting = given, site, threading.Event()
        self._status = Http(HttpSettings(url=given.status_url)) if given.status_url else None

    def prepare(self) -> None:
        """Both files: nginx does not start without them."""
        for name, content in _contents({}).items():
            if _files.read(self._path(name)) is None:
                _files.replace(self._path(name), content)

    def apply(self, wanted: Sequence[Enforcement]) -> Agreement:
        """Write, test, reload; nothing of it when the files are so already."""
        sorted_ = sorted_out(self, wanted, self._site)
        contents = _contents(sorted_.able)
        have = {name: _files.read(self._path(name)) for name in contents}
        untold = _files.read(self._path(_UNTOLD)) is not None
        if have != contents or untold or not self._has_loaded(contents):
            self._write(contents, have)
            _programs.hang_up(_programs.running(Path(self._given.pid_file)))
            with suppress(GatewayAwayError):
                _files.replace(self._path(_UNTOLD), None)
        return sorted_.settled(self._compared(sorted_.able, patience_s=_LOADED_S))

    def actual(self, wanted: Sequence[Enforcement]) -> Agreement:
        """What the files say, and the version that nginx serves by."""
        return self._compared(sorted_out(self, wanted, self._site).able, patience_s=_LEAVING_S)

    def close(self) -> None:
        """Close connections."""
        if self._status is not None:
            self._status.close()

    def _path(self, name: str) -> Path:
        return Path(self._given.directory) / name

    def _has_loaded(self, contents: dict[str, bytes]) -> bool:
        """Whether it serves by these files: it may have failed to load them, and is told again then."""
        version = _version_in(contents[_HTTP].decode())
        return self._serves(version, _LEAVING_S)

    def _write(self, contents: dict[str, bytes], before: dict[str, bytes | None]) -> None:
        """Raises RefusedError with the files as they were. What is cut off before nginx was told leaves a sign."""
        _files.replace(self._path(_UNTOLD), b"")
        good, said = False, ""
        try:
            for name, content in contents.items():
                _files.replace(self._path(name), content)
            good, said = _programs.run(self._given.test)
        finally:
            if not good:
                for name, old in before.items():
                    _files.replace(self._path(name), old)
        if not good:
            raise RefusedError(
                f"nginx would not load what it was to enforce: {said.splitlines()[0] if said else 'no reason given'}",
                cure="The files are as they were; run the test yourself to see whether it failed before.",
            )

    def _compared(self, able: dict[str, Enforcement], *, patience_s: float) -> Agreement:
        _programs.running(Path(self._given.pid_file))
        text = (_files.read(self._path(_HTTP)) or b"").decode("utf-8", "replace")
        server = (_files.read(self._path(_SERVER)) or b"").decode("utf-8", "replace")
        version = _version_in(text)
        found: dict[str, object] = dict(_ENTRY.findall(text))
        if version and _digest(_without_version(text), server) != version:
            found = dict.fromkeys(found, "altered")
        if self._status is not None and version and not self._serves(version, patience_s):
            found = {}
        return Agreement.between({one.id: mark(one) for one in able.values()}, found)

    def _serves(self, version: str, patience_s: float) -> bool:
        """Raises GatewayAwayError when it can't be asked to the end."""
        if self._status is None:
            return True
        for left in reversed(range(round(patience_s / _POLL_S) + 1)):
            try:
                # A connection that was kept would be answered by a worker that is on its way out.
                if self._status.call("GET", "", headers={"connection": "close"}).body.strip() == version.encode():
                    return True
            except GatewayAwayError:
                if not left:
                    raise
            self._waiting.wait(_POLL_S if left else 0)
        return False


def _contents(able: dict[str, Enforcement]) -> dict[str, bytes]:
    ours = list(able.values())
    entries = "".join(f"# entry {one.id} {mark(one)}\n" for one in ours)
    head = "# Written by Gatewatch; replaced whole whenever something changes.\n"
    server = head + server_part(ours)
    version = _digest(head + entries + http_part(ours, ""), server)
    return {_HTTP: (head + entries + http_part(ours, version)).encode(), _SERVER: server.encode()}


_VERSION = re.compile(r'(?<=\$gatewatch_version \{ default ")[0-9a-f]{32}(?="; \})')


def _version_in(text: str) -> str:
    found = _VERSION.search(text)
    return found.group(0) if found else ""


def _without_version(text: str) -> str:
    return _VERSION.sub("", text, count=1)


def _digest(text: str, server: str) -> str:
    return blake2b(f"{text}\0{server}".encode(), digest_size=16).hexdigest()
