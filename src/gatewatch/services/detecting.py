"""Runs the detectors over the traffic store and keeps the alerts: live in ticks, offline in one pass, with one code."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from functools import partial

import msgspec

from gatewatch.config.settings import DetectSettings
from gatewatch.detect.detector import Detector, all_detectors
from gatewatch.detect.folding import fold, group_by_key
from gatewatch.detect.planning import Blindness, Span, coverage, spans
from gatewatch.detect.rows import rows_to_detections
from gatewatch.errors import GatewatchError
from gatewatch.model.alert import Alert, Detection
from gatewatch.ports.clock import Clock
from gatewatch.ports.control import ControlStore
from gatewatch.ports.leases import ALWAYS, Turn
from gatewatch.ports.traffic import TrafficStore
from gatewatch.services.repeating import Repeating, nothing
from gatewatch.telemetry.logs import Log

__all__ = ["Detecting", "DetectionRun"]

_SLOW_S = 1.0
_JUDGED = "detect.judged"


class DetectionRun:
    """One run of all enabled detectors over one span."""

    def __init__(self, traffic: TrafficStore, control: ControlStore, log: Log, clock: Clock | None = None) -> None:
        """Alerts go to the control store, stamped by `clock`; without one by their own event time."""
        self._traffic, self._control, self._log, self._clock = traffic, control, log, clock
        self.faults: dict[str, str] = {}
        """Detector id -> why its last run failed."""

    def detectors(self) -> list[Detector]:
        """Enabled detectors with their current settings."""
        settings = self._control.detector_settings()
        overrides = {
            name: {key: value for key, value in values.items() if key != "enabled"} for name, values in settings.items()
        }
        enabled = {name for name, values in settings.items() if values.get("enabled") is False}
        return [detector for detector in all_detectors(overrides) if detector.meta.id not in enabled]

    def run(self, span: Span, progress: Callable[[str], None] = lambda _: None) -> int:
        """Judge a span; returns the number of alerts new or changed. A detector that fails does not stop the others."""
        changed = 0
        for detector in self.detectors():
            progress(detector.meta.title)
            changed += self.attempt(detector, [span]) or 0
        return changed

    def attempt(self, detector: Detector, spans: Sequence[Span]) -> int | None:
        """Judge spans with one detector; alerts new or changed, None when it failed (see `faults`)."""
        try:
            changed = sum(self._keep(self.judge(detector, span)) for span in spans)
        except GatewatchError as error:
            self.faults[detector.meta.id] = error.message
            self._log.error("detector_failed", detector=detector.meta.id, why=error.message)
            return None
        self.faults.pop(detector.meta.id, None)
        return changed

    def judge(self, detector: Detector, span: Span) -> Sequence[Detection]:
        """What one detector says about a span."""
        parameters = detector.parameters(span.start, span.end)
        if detector.trigger and not self._traffic.query(detector.trigger, parameters):
            return ()
        rows = self._traffic.query(detector.query, parameters)
        return rows_to_detections(detector, rows)

    def _keep(self, detections: Sequence[Detection]) -> int:
        groups = group_by_key(detections)
        if not groups:
            return 0
        known = self._control.open_alerts(list(groups))
        changed: list[Alert] = []
        for key, group in groups.items():
            changed += fold(known.get(key), group)
        at = self._clock.now() if self._clock else None
        return self._control.upsert_alerts(changed, at=at) if changed else 0


class _Progress(msgspec.Struct):
    """How far one detector is."""

    block: int
    """First block it has not judged."""
    due: float = 0.0
    """Not again before, in Unix seconds."""
    cost_s: float = 0.0
    """What its last run took."""


class Detecting:
    """The ticking thread. Judges what arrived since each detector's last run, however late it came.

    Cheap detectors go first; one whose run takes long has a thread apart and runs less often, so that it delays its own
    alerts only.
    """

    def __init__(
        self,
        *,
        run: DetectionRun,
        traffic: TrafficStore,
        control: ControlStore,
        clock: Clock,
        settings: DetectSettings,
        log: Log,
        turn: Turn = ALWAYS,
        then: Callable[[], object] = nothing,
    ) -> None:
        """Continue after the blocks judged by an earlier run; in this server's `turn` only.

        `then` is called when alerts are new or changed.
        """
        self._run, self._traffic, self._control = run, traffic, control
        self._clock, self._settings, self._log = clock, settings, log
        self._turn, self._term = turn, turn.term
        self._progress: dict[str, _Progress] = {}
        self._stored: dict[str, int] = {}
        self._turns = {False: threading.Lock(), True: threading.Lock()}
        self._state = threading.Lock()
        self._lanes = [
            Repeating("detecting", partial(self.tick_due, slow=False), settings.tick_s, log, then=then),
            Repeating("detecting-slowly", partial(self.tick_due, slow=True), settings.tick_s, log, then=then),
        ]
        self.ticks = 0
        self._counted = 0
        self.too_late = 0
        """Transactions that came too late to be judged."""

    @property
    def faults(self) -> dict[str, str]:
        """Detectors that failed in the last tick."""
        return dict(self._run.faults)

    def costs(self) -> dict[str, float]:
        """Seconds that each detector's last run took."""
        return {name: progress.cost_s for name, progress in sorted(self._progress.items())}

    def start(self) -> None:
        """Begin ticking."""
        for lane in self._lanes:
            lane.start()

    def stop(self) -> None:
        """End after a last tick."""
        were_at_work = [lane.stop() for lane in self._lanes]
        if any(were_at_work):
            self.tick()

    @property
    def failing(self) -> str:
        """Why the last tick failed as a whole; shown by readiness."""
        return next((lane.failing for lane in self._lanes if lane.failing), "")

    def tick(self) -> int:
        """Judge what arrived with all detectors; alerts new or changed."""
        return sum(self._run_lane(slow=slow, everything=True) for slow in (False, True))

    def tick_due(self, *, slow: bool) -> int:
        """Judge what arrived with the detectors of one lane that are due; alerts new or changed."""
        return self._run_lane(slow=slow, everything=False)

    def _run_lane(self, *, slow: bool, everything: bool) -> int:
        with self._turns[slow]:
            if not self._turn.mine():
                return 0
            end = self._end()
            with self._state:
                self._forget_older_terms()
                waiting = self._waiting(slow=slow, everything=everything, end=end)
                self.ticks += 1
            arrivals: dict[int, list[Span]] = {}
            changed = 0
            for detector in waiting:
                progress = self._progress[detector.meta.id]
                if progress.block not in arrivals:
                    arrivals[progress.block] = self._arrived(progress.block, end)
                changed += self._advance(detector, progress, arrivals[progress.block], end)
            with self._state:
                self._remember(end)
            return changed

    def _forget_older_terms(self) -> None:
        """Another server judged since: where it got to is in the store."""
        if self._term != self._turn.term:
            self._term, self._progress = self._turn.term, {}

    def _waiting(self, *, slow: bool, everything: bool, end: int) -> list[Detector]:
        """Detectors of a lane that have something to judge, cheap ones first."""
        detectors = self._run.detectors()
        self._begin(detectors)
        now, known = self._clock.now(), self._progress
        found = [
            detector
            for detector in detectors
            if (one := known[detector.meta.id]).block < end
            and (one.cost_s >= _SLOW_S) == slow
            and (everything or now >= one.due)
        ]
        return sorted(found, key=lambda detector: known[detector.meta.id].cost_s)

    def _remember(self, end: int) -> None:
        if end > self._counted:
            self._count_late(end)
        blocks = {name: known.block for name, known in self._progress.items()}
        if blocks != self._stored:
            self._control.put_state(_JUDGED, msgspec.json.encode(blocks))
            self._stored = blocks

    def _begin(self, detectors: Sequence[Detector]) -> None:
        """Where each detector goes on; one that is new, or was switched off, begins with what comes now."""
        if not self._progress:
            self._stored = msgspec.json.decode(self._control.state(_JUDGED) or b"{}", type=dict[str, int])
            self._progress = {name: _Progress(block) for name, block in self._stored.items()}
            self._counted = max(self._stored.values(), default=0)
        latest = max((progress.block for progress in self._progress.values()), default=0)
        names = [detector.meta.id for detector in detectors]
        self._progress = {name: self._progress.get(name) or _Progress(latest) for name in names}

    def _advance(self, detector: Detector, progress: _Progress, spans: Sequence[Span], end: int) -> int:
        begin = time.perf_counter()
        changed = self._run.attempt(detector, spans)
        progress.cost_s = time.perf_counter() - begin
        progress.due = self._clock.now() + progress.cost_s / self._settings.share
        if changed is None:
            return 0  # the same blocks are judged again
        progress.block = end
        return changed

    def _end(self) -> int:
        """After the newest block that is whole; 0 when there is none."""
        (row,) = self._traffic.query("SELECT max(block) AS newest, count() AS n FROM stored_blocks")
        return int(str(row["newest"])) + 1 if row["n"] else 0

    def _arrived(self, block: int, end: int) -> list[Span]:
        rows = self._traffic.query(
            "SELECT min(first_ts) AS first, max(last_ts) AS last FROM arrivals"
            " WHERE block >= {block:UInt64} AND block < {end:UInt64} GROUP BY hour",
            {"block": block, "end": end},
        )
        oldest = self._clock.now() - self._settings.late_s
        return spans([(float(str(row["first"])), float(str(row["last"]))) for row in rows], oldest=oldest)

    def _count_late(self, end: int) -> None:
        rows = self._traffic.query(
            "SELECT sum(calls) AS calls FROM arrivals WHERE block >= {block:UInt64} AND block < {end:UInt64}"
            " AND last_ts < fromUnixTimestamp64Milli(toInt64({oldest:Float64} * 1000), 'UTC')",
            {"block": self._counted, "end": end, "oldest": self._clock.now() - self._settings.late_s},
        )
        self._counted = end
        if late := int(str(rows[0]["calls"])):
            self.too_late += late
            self._log.warning("too_late_to_judge", transactions=late, late_s=self._settings.late_s)

    def blindness(self) -> list[Blindness]:
        """Detectors that can't work on some source of the last day with traffic for lack of evidence."""
        rows = self._traffic.query(
            "SELECT source, groupBitOr(evidence) AS evidence FROM observations"
            " WHERE ts >= (SELECT max(hour) FROM arrivals) - INTERVAL 1 DAY GROUP BY source ORDER BY source"
        )
        return coverage(self._run.detectors(), {str(row["source"]): int(str(row["evidence"])) for row in rows})
