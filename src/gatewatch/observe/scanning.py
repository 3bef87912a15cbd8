"""Attack indicators, information types and response signals of parsed transactions: gate first, judgement after."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import unquote

from gatewatch.knowledge.word_lists import words
from gatewatch.model.observation import IndicatorHit, InformationHit, Location
from gatewatch.model.observe_settings import ObserveSettings
from gatewatch.observe.bodies import media_type
from gatewatch.observe.leaves import Leaf, safe_name
from gatewatch.observe.matching import Matcher
from gatewatch.observe.normalising import normalise
from gatewatch.observe.parsing import Parsed, Parser
from gatewatch.observe.pattern import MatchValue

__all__ = ["Scan", "Scanning"]

_ATTACKED_HEADERS = words("attacked_headers")
_SILENT_HEADERS = words("silent_headers")
_NONE: dict[str, str] = {}
_REMEMBERED = 16_384
_REMEMBERED_CHARS = 512
_REMEMBERED_SETS = 4_096
_TEXTUAL = ("string", "int")
_FORM = "application/x-www-form-urlencoded"
_SUSPECT_COOKIE = re.compile(r"[%'\"<>(){}\\$|`&+]|\.\.|:/|[^;] ")
"""Sessions, tokens and the counters of analytics have none of these."""
_LONG_NUMBER = 9
"""Digits of the shortest number that an information type may be."""


class Scan(NamedTuple):
    """What patterns found in one transaction."""

    indicators: tuple[IndicatorHit, ...]
    information: tuple[InformationHit, ...]
    signals: tuple[str, ...]


class Scanning:
    """One per process; not thread-safe."""

    def __init__(self, settings: ObserveSettings, parser: Parser) -> None:
        """Compiles the patterns: a few hundred milliseconds."""
        self._limits, self._parser = settings.limits, parser
        credentials = {*settings.api_key_headers, *settings.certificate_headers, *settings.consumer_headers}
        self._unread = _SILENT_HEADERS | _ATTACKED_HEADERS | {name.lower() for name in credentials}
        self._matcher = Matcher()
        self._header_roles: dict[tuple[str, ...], tuple[tuple[str, ...], tuple[str, ...]]] = {}
        self._header_answers: dict[tuple[str, str], list[IndicatorHit]] = {}

    def scan(self, block: Sequence[Parsed]) -> list[Scan]:
        """One result per transaction."""
        matcher = self._matcher
        sent = [self._own_headers(parsed.headers) for parsed in block]
        returned = [self._own_headers(parsed.response_headers) for parsed in block]
        texts = [_searchable(parsed, own) for parsed, own in zip(block, sent, strict=True)]
        asked = [matcher.request_candidates(text) for text in texts]
        answers = [
            _answer(parsed, own) if own else parsed.response.data for parsed, own in zip(block, returned, strict=True)
        ]
        answered = [matcher.response_candidates(answer) for answer in answers]
        in_headers = [self._header_hits(parsed.headers) for parsed in block]
        parts = zip(block, sent, returned, asked, answered, in_headers, strict=True)
        return [self._judge(*one) for one in parts]

    def _judge(
        self,
        parsed: Parsed,
        sent: dict[str, str],
        returned: dict[str, str],
        asked: tuple[bool, bool],
        answered: tuple[bool, bool],
        in_headers: list[IndicatorHit],
    ) -> Scan:
        attacked, informing = asked
        leaking, answering = answered
        values = self._request_values(parsed, sent) if attacked or informing else []
        indicators = (*in_headers, *self._indicators(parsed, values)) if attacked else tuple(in_headers)
        found = self._asked_information(parsed, values) if informing else []
        if answering:
            found += self._answered_information(parsed, returned)
        signals = self._signals(parsed, values, indicators, leaking=leaking) if parsed.response.data else ()
        return Scan(indicators, tuple(found), signals)

    def _roles(self, headers: dict[str, str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Names of the headers that attacks come in, in order: a replayed block must give the very same rows.

        And those of the application's own, which could hold data or an attack: no standard ones, no credentials. The
        same few sets of headers come again and again, so answers are remembered.
        """
        names = tuple(headers)
        known = self._header_roles.get(names)
        if known is None:
            own = tuple(name for name in names if name not in self._unread)
            known = (tuple(sorted(_ATTACKED_HEADERS & headers.keys())), own)
            if sum(map(len, names)) <= _REMEMBERED_CHARS:
                if len(self._header_roles) >= _REMEMBERED_SETS:
                    self._header_roles.clear()
                self._header_roles[names] = known
        return known

    def _own_headers(self, headers: dict[str, str]) -> dict[str, str]:
        own = self._roles(headers)[1] if headers else ()
        return {name: headers[name] for name in own} if own else _NONE

    def _request_values(self, parsed: Parsed, own_headers: dict[str, str]) -> list[MatchValue]:
        """Every value of the request that patterns look at, normalised."""
        longest = self._limits.value_chars
        values = [_value(Location.REQUEST_PATH, "path", parsed.transaction.path, longest)]
        values += [_value(Location.REQUEST_PATH, name, raw, longest) for name, _, raw in parsed.match.values]
        values += [_value(Location.REQUEST_HEADER, safe_name(name), raw, longest) for name, raw in own_headers.items()]
        values += [_value(Location.REQUEST_QUERY, safe_name(name), value, longest) for name, value in parsed.query]
        values += [
            _value(Location.REQUEST_BODY, leaf.path, leaf.value, longest)
            for leaf in parsed.request.leaves
            if leaf.kind == "string" or "$" in leaf.path or (leaf.kind == "int" and len(leaf.value) >= _LONG_NUMBER)
        ]
        return values

    def _indicators(self, parsed: Parsed, values: Sequence[MatchValue]) -> list[IndicatorHit]:
        """Attack patterns in path, query and body."""
        names = [MatchValue(Location.REQUEST_QUERY, name[:128], "", "") for name, _ in parsed.query if "$" in name]
        return self._matcher.indicators([*values, *names])

    def _header_hits(self, headers: dict[str, str]) -> list[IndicatorHit]:
        """Attack patterns in headers; the same few values come again and again, so answers are remembered."""
        found: list[IndicatorHit] = []
        for name in self._roles(headers)[0]:
            raw = headers[name]
            hits = self._header_answers.get((name, raw))
            if hits is None:
                hits = self._matcher.indicators([_value(Location.REQUEST_HEADER, name, raw, self._limits.value_chars)])
                if len(raw) <= _REMEMBERED_CHARS:
                    self._remember((name, raw), hits)
            found += hits
        if (cookies := headers.get("cookie")) and _SUSPECT_COOKIE.search(cookies):
            found += self._cookie_hits(cookies)
        return found

    def _cookie_hits(self, header: str) -> list[IndicatorHit]:
        """Attack patterns in cookies, each by itself; sessions are credentials and are not remembered in the clear."""
        key = ("cookie", str(hash(header)))
        hits = self._header_answers.get(key)
        if hits is None:
            longest = self._limits.value_chars
            parts = [part.partition("=")[2].strip() for part in header[:longest].split(";")]
            values = [_value(Location.REQUEST_HEADER, "cookie", part, longest) for part in parts if part]
            hits = self._matcher.indicators([value for value in values if _SUSPECT_COOKIE.search(value.raw)])
            self._remember(key, hits)
        return hits

    def _remember(self, key: tuple[str, str], hits: list[IndicatorHit]) -> None:
        if len(self._header_answers) >= _REMEMBERED:
            self._header_answers.clear()
        self._header_answers[key] = hits

    def _asked_information(self, parsed: Parsed, values: Sequence[MatchValue]) -> list[InformationHit]:
        """Information types of the request."""
        placed = [value for value in values if value.location is not Location.REQUEST_PATH]
        return self._matcher.information([*self._segments(parsed), *placed])

    def _answered_information(self, parsed: Parsed, own_headers: dict[str, str]) -> list[InformationHit]:
        """Information types of the response."""
        longest = self._limits.value_chars
        leaves: list[Leaf] = [leaf for leaf in self._parser.response_leaves(parsed) if leaf.kind in _TEXTUAL]
        found = self._matcher.information_in(Location.RESPONSE_BODY, leaves, longest=longest)
        if own_headers:
            shown = [MatchValue(Location.RESPONSE_HEADER, safe_name(n), v[:longest]) for n, v in own_headers.items()]
            found = [*self._matcher.information(shown), *found]
        return found

    def _segments(self, parsed: Parsed) -> list[MatchValue]:
        """The path's segments, named by their placeholder; the segment before says what they are (`/cards/4111…`)."""
        names = {raw: name for name, _, raw in parsed.match.values}
        found, before = [], ""
        for segment in parsed.transaction.path[: self._limits.value_chars].split("/"):
            text = normalise(segment)
            name = names.get(unquote(segment, errors="replace"), "path")
            found.append(MatchValue(Location.REQUEST_PATH, name, text, segment, before))
            before = text
        return found

    def _signals(
        self, parsed: Parsed, values: Sequence[MatchValue], indicators: Sequence[IndicatorHit], *, leaking: bool
    ) -> tuple[str, ...]:
        """Signs in the response that an attack worked. `leaking`: it holds candidates of some sign."""
        places = {(hit.location, hit.name) for hit in indicators}
        attacked = [value for value in values if (value.location, value.name) in places] if places else []
        if not attacked and not leaking:
            return ()
        text = parsed.response.data[: self._limits.body_bytes].decode("utf-8", "replace")
        return self._matcher.response_signals(text, parsed.transaction.status, attacked)


def _value(location: Location, name: str, raw: str, longest: int) -> MatchValue:
    raw = raw[:longest]
    return MatchValue(location, name, normalise(raw), raw)


def _answer(parsed: Parsed, own_headers: dict[str, str]) -> bytes:
    """The response's text for the gate."""
    return b"\x1f".join((*(value.encode("utf-8", "replace") for value in own_headers.values()), parsed.response.data))


def _searchable(parsed: Parsed, own_headers: dict[str, str]) -> bytes:
    """The request's text for the gate, disguises undone; patterns that find nothing here find nothing at all."""
    line = f"{parsed.transaction.path}\x1f{parsed.transaction.query}"
    head = normalise(line, plus_is_space=True).encode("utf-8", "replace")
    if own_headers:
        head += b"\x1f" + normalise("\x1f".join(own_headers.values())).encode("utf-8", "replace")
    body = parsed.request.data
    if not body:
        return head
    plus_is_space = b"+" in body and media_type(parsed.headers) == _FORM
    if plus_is_space or b"\\" in body or b"%" in body or b"&" in body or b"/*" in body or not body.isascii():
        if b"\\" in body and parsed.request.content is not None:
            # JSON escapes stand for other characters: look at what they stand for.
            text = "\x1f".join([f"{leaf.path}\x1f{leaf.value}" for leaf in parsed.request.leaves])
        else:
            text = body.decode("utf-8", "replace")
        body = normalise(text, plus_is_space=plus_is_space).encode("utf-8", "replace")
    return head + b"\x1f" + body
