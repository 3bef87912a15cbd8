"""Input values as parameters: where, name, type, length, fingerprint, and whether they refer to an object."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from gatewatch.model.observation import Location, Parameter
from gatewatch.model.observe_settings import LimitSettings
from gatewatch.observe.fingerprint import Fingerprinter
from gatewatch.observe.identity import Identities
from gatewatch.observe.leaves import Cuts, Leaf, safe_name
from gatewatch.observe.value_types import classify

__all__ = ["Parameters"]

_REFERENCE_TYPES = frozenset({"int", "uuid", "ulid", "objectid", "hash", "token", "email", "phone", "string"})
_REFERENCE_NAME = re.compile(
    r"(?:^|[._\-\[\]])(?:id|ids|uid|uuid|guid|key|reference|slug|number|no|nr|code|account|order|invoice|user|customer|client|member|owner|card|file|document|iban|email|username)s?$"
    r"|[a-z0-9][_\-]refs?$"  # bare `ref` says where a visitor came from, or names a branch
    r"|(?:user|account|order|customer|client|member|owner|item|product|file|document|session|card|invoice|patient|booking|payment|employee)(?:id|no|nr|key|ref|code|number|uuid)s?$"
    r"|(?-i:[a-z0-9](?:Id|Uuid|Guid|ID|Ref|Number|No|Key|Code)s?$)",
    re.IGNORECASE,
)
# Paging and formatting numbers are not identifiers, whatever their name ends in.
_NOT_REFERENCE = re.compile(
    r"(?:^|[._-])(?:page|offset|limit|size|per_?page|count|start|skip|take|cursor|sort|order_?by|order|q|query|search|lang|locale|currency|country|format|fields|include|ts|timestamp|nonce|_|v|version|zip|zip_?code|postal_?code|postcode|country_?code|status_?code|promo_?code|error_?code|phone_?number|api_?key)$",
    re.IGNORECASE,
)
_PATH_REFERENCES = frozenset(
    {"int", "uuid", "ulid", "objectid", "hash", "token", "email", "string", "phone", "list", "base64"}
)
# Of headers only those that name somebody's object: ids of calls, sessions, traces and devices differ by nature.
_HEADER_REFERENCE = re.compile(
    r"(?:^|[_-])(?:user|account|customer|member|owner|patient|order|invoice|card|document|file|tenant|org|organi[sz]ation|company|merchant|wallet|employee|subscriber|policy|contract)[_-]?(?:id|no|nr|number|key|ref|uuid)$"
)
_SECRET = re.compile(r"pass(?:word|wd|code)?$|pwd$|secret|pin$|cvv|cvc|otp$|token$", re.IGNORECASE)
_REMEMBERED = 16_384
_REMEMBERED_SETS = 4_096
_LONGEST = 128
"""Characters of an identifier."""


class Parameters:
    """Bounded per transaction: path, query and headers first, then body members in document order."""

    def __init__(self, limits: LimitSettings, fingerprint: Fingerprinter, identities: Identities) -> None:
        """Keys in the query are credentials, so they are no parameters."""
        self._limit, self._fingerprint, self._identities = limits.parameters, fingerprint, identities
        self._references: dict[str, bool] = {}
        self._header_names: dict[tuple[str, ...], tuple[str, ...]] = {}

    def of(
        self,
        path: Sequence[tuple[str, str, str]],
        query: Sequence[tuple[str, str]],
        headers: Mapping[str, str],
        leaves: Sequence[Leaf],
        cuts: Cuts,
    ) -> tuple[Parameter, ...]:
        """Parameters of one request; `headers` with names in lower case."""
        fingerprint = self._fingerprint
        found = [
            Parameter(Location.REQUEST_PATH, name, kind, len(raw), fingerprint(raw), kind in _PATH_REFERENCES)
            for name, kind, raw in path
        ]
        for raw_name, value in query:
            name = safe_name(raw_name)
            kind = classify(value)
            refers = kind in _REFERENCE_TYPES and self._refers(name) and not self._identities.is_key_parameter(raw_name)
            found.append(
                Parameter(Location.REQUEST_QUERY, name, kind, len(value), fingerprint(value) if value else 0, refers)
            )
        found += self._in_headers(headers)
        room = self._limit - len(found)
        if len(leaves) > room:
            cuts.add("parameters")
            leaves = leaves[: max(0, room)]
        references = self._references
        for leaf in leaves:
            value, kind, name = leaf.value, leaf.kind, leaf.path
            if kind == "string":
                kind = classify(value)
            known = references.get(name)
            refers = self._refers(name) if known is None else known
            refers = refers and kind in _REFERENCE_TYPES and 0 < len(value) <= _LONGEST
            number = fingerprint(value) if refers else 0
            found.append(Parameter(Location.REQUEST_BODY, name, kind, len(value), number, refers))
        return tuple(found[: self._limit])

    def _in_headers(self, headers: Mapping[str, str]) -> list[Parameter]:
        names = tuple(headers)
        known = self._header_names.get(names)
        if known is None:
            if len(self._header_names) >= _REMEMBERED_SETS:
                self._header_names.clear()
            known = tuple(
                name
                for name in names
                if _HEADER_REFERENCE.search(name) and not self._identities.is_credential_header(name)
            )
            self._header_names[names] = known
        return [self._header(name, headers[name]) for name in known]

    def _header(self, name: str, value: str) -> Parameter:
        kind = classify(value)
        refers = kind in _REFERENCE_TYPES and 0 < len(value) <= _LONGEST
        number = self._fingerprint(value) if value else 0
        return Parameter(Location.REQUEST_HEADER, safe_name(name), kind, len(value), number, refers)

    def _refers(self, name: str) -> bool:
        known = self._references.get(name)
        if known is None:
            if len(self._references) >= _REMEMBERED:
                self._references.clear()
            known = bool(_REFERENCE_NAME.search(name)) and not _NOT_REFERENCE.search(name) and not _SECRET.search(name)
            self._references[name] = known
        return known
