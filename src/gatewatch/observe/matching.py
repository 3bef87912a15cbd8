"""All patterns of one purpose in one Hyperscan database; candidates are judged by the parts that asked for them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import TypeVar

import hyperscan

from gatewatch.model.observation import IndicatorHit, InformationHit, Location
from gatewatch.observe.indicators.nosql_injection import NAME as OPERATOR_NAME
from gatewatch.observe.leaves import Leaf
from gatewatch.observe.pattern import Indicator, MatchValue, Recognizer, ResponseSignal
from gatewatch.plugins import discover

__all__ = ["MatchValue", "Matcher"]

T = TypeVar("T", Indicator, Recognizer, ResponseSignal)
Part = Indicator | Recognizer | ResponseSignal
_MAX_HITS = 32
"""Hits reported per transaction and purpose; one transaction can't flood the store."""
_SEPARATOR = "\x1f\x1f"
_FLAGS = hyperscan.HS_FLAG_CASELESS | hyperscan.HS_FLAG_DOTALL


class _Database:
    """Compiled expressions with an owner each."""

    def __init__(self, expressions: Sequence[tuple[int, bytes]], *, flags: int = _FLAGS) -> None:
        self.owners = [owner for owner, _ in expressions]
        self._compiled = hyperscan.Database() if expressions else None
        if self._compiled is not None:
            self._compiled.compile(
                expressions=[text for _, text in expressions],
                ids=list(range(len(expressions))),
                elements=len(expressions),
                flags=[flags] * len(expressions),
            )

    def matches(self, data: bytes) -> list[tuple[int, int]]:
        """(expression, end of the match), as the engine reports them."""
        found: list[tuple[int, int]] = []

        def hit(pattern: int, _start: int, end: int, _flags: int, _context: object) -> None:
            found.append((pattern, end))

        if data and self._compiled is not None:
            self._compiled.scan(data, match_event_handler=hit)
        return found


class _Gate:
    """Two purposes in one pass over a text: whether either could find anything there."""

    def __init__(self, first: Sequence[Part], second: Sequence[Part]) -> None:
        self._database = _Database(
            [(bit, text) for bit, parts in ((1, first), (2, second)) for part in parts for text in part.expressions],
            flags=_FLAGS | hyperscan.HS_FLAG_SINGLEMATCH,
        )

    def purposes(self, data: bytes) -> int:
        """Bit 1 for the first, bit 2 for the second."""
        bits = 0
        for pattern, _ in self._database.matches(data):
            bits |= self._database.owners[pattern]
        return bits


class _Scanner:
    """One purpose. `candidates` tells which part may have something to say about which value."""

    def __init__(self, parts: Sequence[Part]) -> None:
        self._database = _Database([(index, text) for index, part in enumerate(parts) for text in part.expressions])

    def candidates(self, texts: Sequence[str]) -> list[tuple[int, int]]:
        """(part index, text index) pairs worth judging, in that order."""
        joined = _SEPARATOR.join(texts)
        if joined.isascii():
            data, sizes = joined.encode(), map(len, texts)
        else:
            pieces = [text.encode("utf-8", "replace") for text in texts]
            data, sizes = _SEPARATOR.encode().join(pieces), map(len, pieces)
        matches = self._database.matches(data)
        if not matches:
            return []
        ends = list(accumulate(size + len(_SEPARATOR) for size in sizes))
        owners, last = self._database.owners, len(ends) - 1
        return sorted({(owners[pattern], min(bisect_right(ends, end - 1), last)) for pattern, end in matches})


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
        self._request_gate = _Gate(self._indicators, self._recognizers)
        self._response_gate = _Gate(self._signals, self._recognizers)
        self._operators = next(
            (i for i, part in enumerate(self._indicators) if part.meta.id == "nosql_injection"), None
        )

    def request_candidates(self, data: bytes) -> tuple[bool, bool]:
        """Whether decoded request text holds any candidate (of an attack, of an information type); False settles it."""
        bits = self._request_gate.purposes(data)
        return bool(bits & 1), bool(bits & 2)

    def response_candidates(self, data: bytes) -> tuple[bool, bool]:
        """Whether a response holds any candidate (of a signal, of an information type).

        False settles it; for signals only when the request carried no attack.
        """
        bits = self._response_gate.purposes(data)
        return bool(bits & 1), bool(bits & 2)

    def indicators(self, values: Sequence[MatchValue]) -> list[IndicatorHit]:
        """Attack patterns in request values, at most one hit per class and value, strongest first."""
        pairs = self._indicator_scanner.candidates([value.text for value in values])
        if self._operators is not None:
            named = [i for i, value in enumerate(values) if "$" in value.name and OPERATOR_NAME.search(value.name)]
            if named:
                pairs = sorted({*pairs, *((self._operators, i) for i in named)})
        hits = []
        for part_index, value_index in pairs:
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
        return self._counted(self._recognizer_scanner.candidates([value.text for value in values]), values)

    def information_in(self, location: Location, leaves: Sequence[Leaf], *, longest: int) -> list[InformationHit]:
        """The same for the leaves of a body; only candidates become values."""
        texts = [leaf.value[:longest] for leaf in leaves]
        pairs = self._recognizer_scanner.candidates(texts)
        chosen = {index: MatchValue(location, leaves[index].path, texts[index]) for _, index in pairs}
        return self._counted(pairs, chosen)

    def _counted(
        self, pairs: Sequence[tuple[int, int]], values: Sequence[MatchValue] | Mapping[int, MatchValue]
    ) -> list[InformationHit]:
        counts: dict[tuple[str, str, str], int] = {}
        for part_index, value_index in pairs:
            part, value = self._recognizers[part_index], values[value_index]
            if part.recognise(value):
                key = (part.meta.id, value.location.value, value.name)
                counts[key] = counts.get(key, 0) + 1
        hits = [InformationHit(kind, Location(where), name, count) for (kind, where, name), count in counts.items()]
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
