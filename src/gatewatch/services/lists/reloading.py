"""Keeps the traffic store's address lists equal to the configured files and addresses."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from gatewatch.config.settings import ListSettings
from gatewatch.errors import ConfigurationError, GatewatchError
from gatewatch.ports.traffic import TrafficStore
from gatewatch.services.lists.flattening import AddressRange, flatten, range_text
from gatewatch.services.lists.parsing import parse_ip_info_csv, parse_maxmind, parse_threat_list
from gatewatch.telemetry.logs import Log

__all__ = ["AddressLists"]

_FETCH_TIMEOUT_S = 20.0
_MAX_LIST_BYTES = 64 * 1024 * 1024


class AddressLists:
    """Loads `threat`, `tor` and `ip_info`; `reload()` is cheap when nothing changed.

    A list that can't be read keeps its last good content and is reported; at start it is an error of configuration.
    """

    def __init__(self, settings: ListSettings, store: TrafficStore, log: Log) -> None:
        """Nothing is read before `load`."""
        self._settings, self._store, self._log = settings, store, log
        self._marks: dict[str, str] = {}
        self._contents: dict[str, bytes] = {}

    def load(self) -> dict[str, int]:
        """Read every list; ranges per list. Raises ConfigurationError or DefinitionError."""
        return {name: self._store_list(name, places) for name, places in self._lists()}

    def reload(self) -> dict[str, int]:
        """Read lists that changed since; ranges per changed list. Faults are logged, the old list stays."""
        changed: dict[str, int] = {}
        for name, places in self._lists():
            try:
                if self._mark(places) != self._marks.get(name):
                    changed[name] = self._store_list(name, places)
            except GatewatchError as error:
                self._log.warning("address_list_not_reloaded", list=name, why=error.message)
        return changed

    def _lists(self) -> list[tuple[str, tuple[str, ...]]]:
        settings = self._settings
        return [("threat", settings.threat), ("tor", settings.tor), ("ip_info", settings.ip_info)]

    def _store_list(self, name: str, places: tuple[str, ...]) -> int:
        mark = self._mark(places)
        ranges = flatten(item for place in places for item in self._parse(name, place))
        count = self._store.replace_ranges(
            name, ((range_text(r.first), range_text(r.last), r.label, r.detail) for r in ranges)
        )
        self._marks[name] = mark
        if places:
            self._log.info("address_list_loaded", list=name, ranges=count)
        return count

    def _parse(self, name: str, place: str) -> Iterator[AddressRange]:
        if name == "ip_info" and place.endswith(".mmdb"):
            return parse_maxmind(place)
        text = self._read(place).decode("utf-8", errors="replace")
        return parse_ip_info_csv(text, file=place) if name == "ip_info" else parse_threat_list(text, file=place)

    def _mark(self, places: tuple[str, ...]) -> str:
        digest = hashlib.blake2b(digest_size=16)
        for place in places:
            digest.update(place.encode())
            if _is_url(place):
                self._contents[place] = _fetch(place)
                digest.update(self._contents[place])
            else:
                digest.update(_file_mark(place).encode())
        return digest.hexdigest()

    def _read(self, place: str) -> bytes:
        if _is_url(place):
            return self._contents.pop(place, b"") or _fetch(place)
        try:
            return Path(place).read_bytes()
        except OSError as error:
            raise ConfigurationError(f"can't read address list {place}: {error.strerror}") from error


def _is_url(place: str) -> bool:
    return urlsplit(place).scheme in ("http", "https")


def _file_mark(place: str) -> str:
    try:
        state = Path(place).stat()
    except OSError as error:
        raise ConfigurationError(f"can't read address list {place}: {error.strerror}") from error
    return f"{state.st_mtime_ns}:{state.st_size}:{state.st_ino}"


def _fetch(place: str) -> bytes:
    try:
        response = httpx.get(place, timeout=_FETCH_TIMEOUT_S, follow_redirects=True)
        response.raise_for_status()
    except httpx.HTTPError as error:
        raise ConfigurationError(f"can't fetch address list {place}: {error}") from error
    if len(response.content) > _MAX_LIST_BYTES:
        raise ConfigurationError(f"address list {place} is larger than {_MAX_LIST_BYTES} bytes")
    return response.content
