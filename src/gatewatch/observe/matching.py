"""All patterns of one purpose in one Hyperscan database; candidates are judged by the parts that asked for them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import TypeVar

import hyperscan

from gatewatch.model.observation import IndicatorHit, InformationHit, Location
from gatewatch.observe.indicators.nosql_injection import NAME as OPERATOR_NAME
from gatewatch.observe.pattern import Indicator, MatchValue, Recognizer, ResponseSignal
from gatewatch.plugins import discover

__all__ = ["MatchValue", "Matcher"]

T = TypeVar("T", Indicator, Recognizer, ResponseSignal)
_MAX_HITS = 32
"""Hits reported per transaction and purpose; one transaction can't flood the store."""
_SEPARATOR = b"\x1f\x1f"
_FLAGS = hyperscan.HS_FLAG_CASELESS | hyperscan.HS_FLAG_DOTALL


class _Scanner:
    """One database. `candidates` tells which part may have something to say about which value."""

    def __init__(self, parts: Sequence[Indicator | Recognizer | ResponseSignal]) -> None:
        expressions = [(index, text) for index, part in enumerate(parts) for text in part.expressions]
        self._owners = [index for index, _ in expressions]
        self._database = hyperscan.Database()
        if expressions:
            flags = [_FLAGS] * len(expressions)
            self._database.compile(
                expressions=[text for _, text in expressions],
                ids=list(range(len(expressions))),
                elements=len(expressions),
                flags=flags,
            )
        self._empty = not expressions

    def any(self, data: bytes) -> bool:
        """Whether there is a candidate at all."""
        found: list[int] = []

        def stop(pattern: int, _start: int, _end: int, _flags: int, _context: object) -> bool:
            found.append(pattern)
            return True

        if data and not self._empty:
            try:
                self._database.scan(data, match_event_handler=stop)
            except hyperscan.ScanTerminated:
                return True
        return bool(found)

    def candidates(self, texts: Sequence[str]) -> set[tuple[int, int]]:
        """(part index, text index) pairs worth judging."""
        pieces = [text.encode("utf-8", "replace") for text in texts]
        ends = list(accumulate(len(piece) + len(_SEPARATOR) for piece in pieces))
        found: set[tuple[int, int]] = set()

        def hit(pattern: int, _start: int, end: int, _flags: int, _context: object) -> None:
            found.add((self._owners[pattern], min(bisect_right(ends, end - 1), len(pieces) - 1)))

        if pieces and not self._empty:
            self._database.scan(_SEPARATOR.join(pieces), match_event_handler=hit)
        return found


class Matcher:
    """Indicators, information types and response signals of this installation. One per process; not thread-safe."""

    def __init__(self) -> None:
        """Compile the databases: a few hundred milliseconds."""
        self._indicators = _instances("gatewatch.observe.indicators", Indicator)
        self._recognizers = _instances("gatewatch.observe.recognizers", Recognizer)
        self._signals = _instances("gatewatch.observe.response_signals", ResponseSignal)
        self._indicator_scanner = _Scanner(self._indicators)
        self._recognizer_scanner = _Scanner(self._recognizers)
        self._signal_scanner = _Scanner(self._signals)
        self._operators = next(
            (i for i, part in enumerate(self._indicators) if part.meta.id == "nosql_injection"), None
        )

    def may_attack(self, data: bytes) -> bool:
        """Whether decoded request text holds any candidate; False settles it."""
        return self._indicator_scanner.any(data)

    def may_inform(self, data: bytes) -> bool:
        """Whether text holds a candidate of any information type; False settles it."""
        return self._recognizer_scanner.any(data)

    def may_leak(self, data: bytes) -> bool:
        """Whether a response holds a candidate of any signal; False settles it when the request carried no attack."""
        return self._signal_scanner.any(data)

    def indicators(self, values: Sequence[MatchValue]) -> list[IndicatorHit]:
        """Attack patterns in request values, at most one hit per class and value, strongest first."""
        pairs = self._indicator_scanner.candidates([value.text for value in values])
        if self._operators is not None:
            pairs |= {
                (self._operators, i)
                for i, value in enumerate(values)
                if "$" in value.name and OPERATOR_NAME.search(value.name)
            }
        hits = []
        for part_index, value_index in sorted(pairs):
            part, value = self._indicators[part_index], values[value_index]
            judged = part.judge(value)
            if judged is not None:
                confidence, rule, snippet = judged
                identity = f"{part.meta.id}.{rule}"
                hits.append(
                    IndicatorHit(part.meta.id, identity, value.location, value.name, round(confidence, 3), snippet)
                )
        hits.sort(key=lambda hit: -hit.confidence)
        return hits[:_MAX_HITS]

    def information(self, values: Sequence[MatchValue]) -> list[InformationHit]:
        """Validated information types, counted per type and place."""
        pairs = self._recognizer_scanner.candidates([value.text for value in values])
        counts: dict[tuple[str, Location, str], int] = {}
        for part_index, value_index in sorted(pairs):
            part, value = self._recognizers[part_index], values[value_index]
            if part.recognise(value):
                key = (part.meta.id, value.location, value.name)
                counts[key] = counts.get(key, 0) + 1
        hits = [InformationHit(kind, where, name, count) for (kind, where, name), count in counts.items()]
        return hits[:_MAX_HITS]

    def response_signals(self, body: str, status: int, requests: list[MatchValue]) -> tuple[str, ...]:
        """Ids of the signals that a response shows; `requests` are the request's values that carried indicators."""
        del status
        wanted = {index for index, _ in self._signal_scanner.candidates([body])} if body else set()
        if requests:
            wanted |= {index for index, signal in enumerate(self._signals) if not signal.expressions}
        return tuple(self._signals[i].meta.id for i in sorted(wanted) if self._signals[i].present(body, requests))


def _instances(package: str, kind: type[T]) -> list[T]:
    return [part() for part in discover(package, kind)]
