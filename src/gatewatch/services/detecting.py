"""Runs the detectors over the traffic store and keeps the alerts: live in ticks, offline in one pass, with one code."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from gatewatch.config.settings import DetectSettings
from gatewatch.detect.detector import Detector, all_detectors
from gatewatch.detect.folding import fold, group_by_key
from gatewatch.detect.planning import Blindness, Span, coverage, plan
from gatewatch.detect.rows import rows_to_detections
from gatewatch.errors import GatewatchError
from gatewatch.model.alert import Alert, Detection
from gatewatch.ports.clock import Clock
from gatewatch.ports.control import ControlStore
from gatewatch.ports.traffic import TrafficStore
from gatewatch.telemetry.logs import Log

__all__ = ["Detecting", "DetectionRun"]

_WATERMARK = "detect.watermark"


class DetectionRun:
    """One run of all enabled detectors over one span."""

    def __init__(self, traffic: TrafficStore, control: ControlStore, log: Log) -> None:
        """Alerts go to the control store."""
        self._traffic, self._control, self._log = traffic, control, log
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
            try:
                changed += self._keep(self.judge(detector, span))
                self.faults.pop(detector.meta.id, None)
            except GatewatchError as error:
                self.faults[detector.meta.id] = error.message
                self._log.error("detector_failed", detector=detector.meta.id, why=error.message)
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
        return self._control.upsert_alerts(changed) if changed else 0


class Detecting:
    """The ticking thread. Judges event time up to now; late events are covered by the overlap."""

    def __init__(
        self,
        *,
        run: DetectionRun,
        traffic: TrafficStore,
        control: ControlStore,
        clock: Clock,
        settings: DetectSettings,
        log: Log,
    ) -> None:
        """Continue from the stored watermark."""
        self._run, self._traffic, self._control = run, traffic, control
        self._clock, self._settings, self._log = clock, settings, log
        self._stopping = threading.Event()
        self._turn = threading.Lock()
        self._thread = threading.Thread(target=self._loop, name="detecting", daemon=True)
        self.ticks = 0

    @property
    def faults(self) -> dict[str, str]:
        """Detectors that failed in the last tick."""
        return dict(self._run.faults)

    def start(self) -> None:
        """Begin ticking."""
        self._thread.start()

    def stop(self) -> None:
        """End after a last tick."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()
            self.tick()

    def tick(self) -> int:
        """One run up to now; alerts new or changed."""
        with self._turn:
            stored = self._control.state(_WATERMARK)
            watermark = float(stored) if stored else None
            now = self._clock.now()
            earliest = self._earliest() if watermark is None else None
            span = plan(watermark=watermark, now=now, overlap_s=self._settings.overlap_s, earliest=earliest)
            changed = 0
            if span is not None:
                changed = self._run.run(span)
                self._control.put_state(_WATERMARK, str(span.end).encode())
            self.ticks += 1
            return changed

    def blindness(self) -> list[Blindness]:
        """Detectors that can't work on some source for lack of evidence."""
        rows = self._traffic.query(
            "SELECT source, groupBitOr(evidence) AS evidence FROM observations GROUP BY source ORDER BY source"
        )
        return coverage(self._run.detectors(), {str(row["source"]): int(str(row["evidence"])) for row in rows})

    def _earliest(self) -> float | None:
        rows = self._traffic.query("SELECT min(first_ts) AS t, sum(calls) AS n FROM endpoint_facts")
        if not rows or not rows[0]["n"]:
            return None
        return float(str(rows[0]["t"]))

    def _loop(self) -> None:
        while not self._stopping.wait(self._settings.tick_s):
            try:
                self.tick()
            except GatewatchError as error:
                self._log.error("detection_delayed", code=error.code, why=error.message)
