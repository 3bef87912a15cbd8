"""HAProxy, by its Runtime API: entries of four maps."""

from __future__ import annotations

import re
import socket
from collections import defaultdict
from typing import Annotated, Any, ClassVar

import msgspec

from gatewatch.errors import ConfigurationError
from gatewatch.gateways._desired import EntryGateway
from gatewatch.model.containment import Effect, ScopeKind
from gatewatch.model.enforcement import Enforcement, mark, network_of, place_of
from gatewatch.ports.gateways import Ability, GatewayAwayError, GatewayMeta, RefusedError, Site

__all__ = ["HAProxy", "HAProxySettings"]

_ADDRESSES = (ScopeKind.ADDRESS, ScopeKind.RANGE)
_PLACES = (ScopeKind.ENDPOINT, ScopeKind.COLLECTION)
_BLOCKED, _BLOCKED_AT, _DISABLED, _THROTTLED = "blocked", "blocked-at", "disabled", "throttled"
_MAPS = (_BLOCKED, _BLOCKED_AT, _DISABLED, _THROTTLED)
_RATE_S = 60
"""Of the stick table in the snippet."""
_VALUE = re.compile(r"gatewatch:([a-z0-9-]{1,40}):[0-9a-f]{10}(?:/\d+)?")
_LINE = re.compile(r"(0x[0-9a-f]+) (\S+) (.*)")
_MAX_ANSWER = 64 * 1024 * 1024
_Entry = tuple[str, str, str]
"""Map, key, value."""


class HAProxySettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of one HAProxy process."""

    socket: str
    """`stats socket` of level admin: `/run/haproxy/admin.sock`, or `127.0.0.1:9999`."""
    maps: str = "/etc/haproxy/gatewatch"
    """Directory of the map files, as HAProxy's configuration names it."""
    timeout_s: Annotated[float, msgspec.Meta(gt=0, le=60)] = 5.0


class HAProxy(EntryGateway):
    """Entries whose value begins with `gatewatch:` are ours; all others stay."""

    meta: ClassVar[GatewayMeta] = GatewayMeta(
        id="haproxy",
        title="HAProxy",
        description="Entries of maps, told to the running process. Every process has its own; give each a gateway.",
        abilities=(
            Ability(effect=Effect.BLOCK, scopes=(*_ADDRESSES, *_PLACES), narrowed=(ScopeKind.ADDRESS,), note="403"),
            Ability(
                effect=Effect.THROTTLE,
                scopes=_ADDRESSES,
                note=f"429; calls of the last {_RATE_S} s, whatever period the plan names",
            ),
            Ability(effect=Effect.DISABLE_ENDPOINT, scopes=_PLACES, note="503"),
        ),
        enforces="`http-request deny` over maps; a stick table counts for throttles",
        delay="at once: the next call",
        after_restart="Nothing (a reload too): applied again when Gatewatch next looks.",
        limits="`src` is who calls: set it from the proxy in front with `http-request set-src`.",
        setup="haproxy.cfg",
        references=("https://docs.haproxy.org/2.6/management.html#9.3",),
    )
    settings: ClassVar[type[msgspec.Struct]] = HAProxySettings

    def __init__(self, settings: Any, site: Site) -> None:
        """Opens nothing. The directory goes into commands, so it has no spaces and no quotes."""
        given: HAProxySettings = settings
        if not re.fullmatch(r"/[\w./-]+", given.maps):
            raise ConfigurationError(f"maps `{given.maps}` is no absolute directory of plain characters")
        self._given, self._site = given, site

    def refusal(self, wanted: Enforcement) -> str:
        """Also hosts that the snippet can't tell."""
        if said := super().refusal(wanted):
            return said
        place = place_of(wanted.scope)
        # `field(1,:)` of the snippet takes off a port, and cuts an IPv6 address in two.
        return "HAProxy can't tell a host that is an IPv6 address" if place and place.name.startswith("[") else ""

    def close(self) -> None:
        """Every command has a connection of its own."""

    def _render(self, wanted: Enforcement) -> tuple[_Entry, ...]:
        value = f"gatewatch:{wanted.id}:{mark(wanted)}"
        network, place = network_of(wanted.scope), place_of(wanted.scope)
        if place is None:
            key = str(network.network_address if network.num_addresses == 1 else network) if network else ""
            if wanted.effect is Effect.THROTTLE:
                calls = max(1, round((wanted.calls or 1) * _RATE_S / wanted.per_s))
                return ((_THROTTLED, key, f"{value}/{calls}"),)
            return ((_BLOCKED, key, value),)
        host = place.name_pattern() or "[^|]*"
        call = rf"{place.method or '[A-Z]+'}\|{host}\|{place.pattern()[1:]}"
        if wanted.effect is Effect.DISABLE_ENDPOINT:
            return ((_DISABLED, f"^{call}", value),)
        who = r"[^|]*"
        if network is not None:
            # `src` of a socket of both is written as IPv6; `map_ip` sees through that, a string does not.
            who = "(?:::ffff:)?" if network.version == 4 else ""
            who += str(network.network_address).replace(".", r"\x2e")
        return ((_BLOCKED_AT, rf"^{who}\|{call}", value),)

    def _read(self) -> dict[str, tuple[_Entry, ...]]:
        found: dict[str, list[_Entry]] = defaultdict(list)
        for entry, _ in self._lines():
            if match := _VALUE.fullmatch(entry[2]):
                found[match.group(1)].append(entry)
        return {one: tuple(sorted(entries)) for one, entries in found.items()}

    def _put(self, wanted: Enforcement, entry: tuple[_Entry, ...], *, known: bool) -> None:
        have = self._read().get(wanted.id, ()) if known else ()
        for name, key, value in entry:
            if (name, key, value) in have:
                continue
            answer = self._tell(f"add map {self._file(name)} <<\n{key} {value}\n")
            if answer.strip():
                raise RefusedError(f"HAProxy: {answer.strip()[:200]}")
        self._drop_all(wanted.id, keep=entry)

    def _drop(self, entry_id: str) -> None:
        self._drop_all(entry_id, keep=())

    def _drop_all(self, entry_id: str, keep: tuple[_Entry, ...]) -> None:
        left = list(keep)
        for entry, reference in self._lines():
            match = _VALUE.fullmatch(entry[2])
            if match is None or match.group(1) != entry_id:
                continue
            if entry in left:
                left.remove(entry)  # one of each is enough
            else:
                self._tell(f"del map {self._file(entry[0])} #{reference}")

    def _lines(self) -> list[tuple[_Entry, str]]:
        """(entry, reference) of everything in the maps."""
        found = []
        for name in _MAPS:
            answer = self._tell(f"show map {self._file(name)}")
            if answer.startswith("Unknown map"):
                raise GatewayAwayError(
                    f"HAProxy does not know the map {self._file(name)}", cure="Add the snippet haproxy.cfg to it."
                )
            lines = (_LINE.fullmatch(line.strip()) for line in answer.splitlines())
            found += [((name, line.group(2), line.group(3)), line.group(1)) for line in lines if line]
        return found

    def _file(self, name: str) -> str:
        return f"{self._given.maps}/{name}.map"

    def _tell(self, command: str) -> str:
        try:
            with self._connected() as connection:
                connection.sendall(command.encode() + b"\n")
                connection.shutdown(socket.SHUT_WR)
                answer = b""
                while (part := connection.recv(65536)) and len(answer) < _MAX_ANSWER:
                    answer += part
        except OSError as error:
            raise GatewayAwayError(
                f"no answer from HAProxy's socket {self._given.socket}: {type(error).__name__}",
                cure="It has to be a `stats socket` of level admin that Gatewatch's user may open.",
            ) from error
        text = answer.decode("utf-8", "replace")
        if "Permission denied" in text:
            raise GatewayAwayError("HAProxy's socket is not of level admin", cure="`stats socket … level admin`")
        return text

    def _connected(self) -> socket.socket:
        where, timeout = self._given.socket, self._given.timeout_s
        if not where.startswith("/"):
            host, _, port = where.rpartition(":")
            return socket.create_connection((host, int(port)), timeout=timeout)
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(timeout)
        try:
            connection.connect(where)
        except OSError:
            connection.close()
            raise
        return connection
