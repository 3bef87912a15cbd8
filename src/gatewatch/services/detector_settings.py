"""Changes of detectors' settings, in the audit log."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from gatewatch.model.activity import Activity, Origin, Subject
from gatewatch.ports.cases import CaseStore
from gatewatch.ports.control import ControlStore

__all__ = ["change_settings"]

SettingValue = float | int | bool | str


def change_settings(
    control: ControlStore, cases: CaseStore, detector_id: str, values: Mapping[str, SettingValue], *, by: str, at: float
) -> None:
    """Replace the changed settings of a detector; they were checked. `at` in Unix seconds."""
    before = control.detector_settings().get(detector_id, {})
    if before == dict(values):
        return
    control.put_detector_settings(detector_id, values, at=at)
    names = sorted({*before, *values})
    details = {
        name: f"{_shown(before.get(name))} -> {_shown(values.get(name))}"
        for name in names
        if before.get(name) != values.get(name)
    }
    entry = Activity(
        at=at,
        origin=Origin.PERSON,
        by=by,
        subject=Subject.DETECTOR,
        subject_id=detector_id,
        action="changed",
        text="; ".join(f"{name}: {change}" for name, change in details.items()),
        details=details,
    )
    with cases.unit(at) as unit:
        unit.record([entry])


def _shown(value: SettingValue | None) -> str:
    return "default" if value is None else msgspec.json.encode(value).decode()
