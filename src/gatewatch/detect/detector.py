"""The detector frame: metadata, settings, a query for any span, identity and explanation."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import ClassVar

import msgspec

from gatewatch.detect.settings import Settings, SettingValue, changed, severity_of
from gatewatch.model.alert import Explanation, OwaspApi, Severity, Tactic
from gatewatch.model.observation import Evidence, Location
from gatewatch.plugins import discover

__all__ = ["Detector", "DetectorMeta", "Row", "all_detectors", "number", "parameter", "sql"]

Row = Mapping[str, object]
"""A result row: times as Unix seconds, addresses as text, tuples as lists."""
_BOUND = re.compile(r"\{(\w+):\w+")


class DetectorMeta(msgspec.Struct, frozen=True, kw_only=True):
    """What people read about a detector."""

    id: str
    title: str
    alert_type: str
    owasp: OwaspApi
    tactic: Tactic
    severity: Severity
    needs: Evidence
    description: str
    known_misses: str
    remediation: tuple[str, ...]
    """Steps, in order."""
    references: tuple[str, ...] = ()


def sql(name: str) -> str:
    """A query that lies beside its detector, `family/name.sql`."""
    return files("gatewatch.detect.detectors").joinpath(name).read_text(encoding="utf-8")


class Detector(ABC):
    """One detector; one file and one query; stateless.

    The query answers for any span: one row per key and aligned window of `window_s` that intersects it, each judged
    only by what came before, so that ticks and one pass give the same alerts. Every row has `window_start`,
    `first_seen`, `last_seen`, `detected_at`, `count`, `actors` [(kind, id)], `client_ips`, `endpoints`
    ["METHOD host template"], `evidence` [(ts, observation id, summary)], the identity columns and the measures.
    """

    meta: ClassVar[DetectorMeta]
    settings: ClassVar[type[Settings]] = Settings
    identity: ClassVar[tuple[str, ...]]
    """Columns that make two rows the same alert."""
    query: ClassVar[str]
    trigger: ClassVar[str] = ""
    """A small query with the same parameters that gives a row unless the span can hold nothing; '' for none.

    A long query costs hundreds of milliseconds to plan even where there is nothing to read (docs/decisions/0005).
    """
    window_s: ClassVar[int] = 300
    constants: ClassVar[Mapping[str, SettingValue]] = {}
    """Bound parameters that nobody changes: what tells detectors with one query apart."""

    def __init__(self, overrides: Mapping[str, SettingValue] | None = None) -> None:
        """Raises DefinitionError when an override is unknown or out of range."""
        self.values = changed(self.settings, overrides or {}, detector=self.meta.id)

    def parameters(self, window_start: float, window_end: float) -> dict[str, SettingValue]:
        """Bound parameters for [window_start, window_end) in Unix seconds; the start is moved back to a window's."""
        aligned = window_start - window_start % self.window_s
        known = {**self.constants, **msgspec.structs.asdict(self.values), "window_s": self.window_s}
        known |= {"window_start": float(aligned), "window_end": float(window_end)}
        return {name: known[name] for name in dict.fromkeys(_BOUND.findall(self.query + self.trigger))}

    @abstractmethod
    def explain(self, row: Row) -> Explanation:
        """Observed, baseline, deviation: one sentence and the numbers."""

    def judge(self, row: Row) -> Severity:  # noqa: ARG002 - the usual detector has one severity whatever the row says
        """Severity of one row."""
        return self.meta.severity

    def severity(self, row: Row) -> Severity:
        """What an operator fixed, else the detector's judgement."""
        return severity_of(self.values) or self.judge(row)


def all_detectors(overrides: Mapping[str, Mapping[str, SettingValue]] | None = None) -> list[Detector]:
    """Built-in detectors and those of entry-point group `gatewatch.detectors`, with changed settings by id."""
    kinds: Sequence[type[Detector]] = discover("gatewatch.detect.detectors", Detector, group="gatewatch.detectors")
    return [kind((overrides or {}).get(kind.meta.id)) for kind in kinds]


def number(row: Row, name: str) -> float:
    """A numeric column; 0 when it is missing or null."""
    value = row.get(name)
    return float(value) if isinstance(value, int | float) else 0.0


def parameter(row: Row) -> str:
    """The parameter of a row in words: `p0`, `p1` … are our own names for places in a path."""
    name = str(row["parameter"])
    if row["parameter_location"] == Location.REQUEST_PATH and name[:1] == "p" and name[1:].isdecimal():
        return f"identifier {int(name[1:]) + 1} of the path"
    return name
