"""Settings that can't work are refused; filters let through what was asked for."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from gatewatch.bootstrap.exporting import exporters
from gatewatch.config.settings import TargetSettings
from gatewatch.errors import ConfigurationError
from gatewatch.formats.export import all_formats
from gatewatch.model.alert import AlertStatus, Severity
from gatewatch.model.export import Exported, ExportKind, export_item
from gatewatch.services.exporting import Target, targets_of
from gatewatch.testing.exports import CONTEXT, activity, finding, incident, rich_alert

FILE = {"name": "out", "transport": "file", "settings": {"path": "/tmp/out.jsonl"}}
ALL = [kind.value for kind in ExportKind]


def targets(*wanted: dict[str, Any]) -> list[Target]:
    settings = [msgspec.convert(one, TargetSettings) for one in wanted]
    return targets_of(settings, all_formats(), exporters(), CONTEXT)


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "a kind that the format can't say": ({"format": "defender", "kinds": ALL}, "can't say audit"),
    "no such format": ({"format": "xml"}, "no format `xml`"),
    "no such transport": ({"transport": "pigeon"}, "no transport `pigeon`"),
    "lines to a transport of JSON": (
        {"transport": "elasticsearch", "format": "cef", "settings": {"url": "https://x.example"}},
        "elasticsearch takes json",
    ),
    "a setting that the transport has not": ({"settings": {"path": "/x", "colour": "red"}}, "colour"),
    "a setting that is missing": ({"settings": {}}, "path"),
    "a setting that is wrong": ({"settings": {"path": "x"}}, "export target out: path is not absolute"),
    "a secret in the settings": (
        {"transport": "splunk-hec", "settings": {"url": "https://x.example", "token": "s3cret"}},
        "export target out",
    ),
    "a status of no kind that is exported": ({"status": ["unhealthy"]}, "no status unhealthy"),
    "a detector that is not there": ({"detectors": ["d.two"]}, "no detector d.two"),
    "disabled but wrong": ({"enabled": False, "format": "xml"}, "no format"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_can_not_work_is_said_when_it_is_configured(name: str) -> None:
    changes, told = REFUSED[name]
    with pytest.raises(ConfigurationError) as caught:
        targets(FILE | changes)
    assert told in caught.value.message
    assert "s3cret" not in f"{caught.value.message} {caught.value.cure}"


def test_two_targets_have_two_names() -> None:
    with pytest.raises(ConfigurationError, match="two export targets are named out"):
        targets(FILE, FILE)


def test_a_disabled_target_is_none() -> None:
    assert targets(FILE | {"enabled": False}) == []


LOW, HIGH = rich_alert(severity=Severity.LOW), rich_alert(severity=Severity.HIGH)
DONE = rich_alert(status=AlertStatus.RESOLVED)
WANTED: dict[str, tuple[dict[str, Any], list[Exported], list[Exported]]] = {
    "kinds": ({"kinds": ["alert"]}, [LOW, HIGH], [incident(), finding(), activity()]),
    "severity": ({"severity": "medium"}, [HIGH, incident(), finding(), activity()], [LOW]),
    "status of one kind": ({"status": ["resolved"]}, [DONE, finding(), activity()], [HIGH, incident()]),
    "status of another kind": ({"status": ["unhealthy"]}, [HIGH, DONE, finding(), incident()], []),
    "detectors": (
        {"detectors": ["d.one"]},
        [HIGH, incident(), finding(), activity()],
        [rich_alert(detector="d.two"), incident(detectors=("d.two",))],
    ),
}


@pytest.mark.parametrize("name", WANTED)
def test_filters(name: str) -> None:
    changes, passing, stopped = WANTED[name]
    (target,) = targets(FILE | {"kinds": ALL} | changes)
    assert all(target.wants(export_item(one)) for one in passing)
    assert not any(target.wants(export_item(one)) for one in stopped)
