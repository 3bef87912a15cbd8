"""The frame: settings, parameters, coverage, spans."""

from __future__ import annotations

import pytest

from gatewatch.detect.detector import Detector, all_detectors
from gatewatch.detect.planning import Span, coverage, spans
from gatewatch.detect.settings import fields
from gatewatch.errors import DefinitionError
from gatewatch.model.alert import Severity
from gatewatch.model.observation import Evidence

DETECTORS = {detector.meta.id: detector for detector in all_detectors()}


@pytest.mark.parametrize("detector", DETECTORS.values(), ids=DETECTORS)
def test_every_setting_says_what_it_is(detector: Detector) -> None:
    assert all(field.description for field in fields(detector.settings))
    assert detector.meta.remediation and detector.meta.known_misses and detector.meta.references


@pytest.mark.parametrize("detector", DETECTORS.values(), ids=DETECTORS)
def test_a_span_starts_with_its_window(detector: Detector) -> None:
    bound = detector.parameters(1_767_268_999.5, 1_767_269_100.0)
    assert bound["window_start"] == 1_767_268_999.5 - 1_767_268_999.5 % detector.window_s
    assert bound["window_end"] == 1_767_269_100.0


def test_an_operator_changes_a_number_and_the_severity() -> None:
    kind = type(DETECTORS["volume.endpoint_spray"])
    changed = kind({"endpoints": 20, "severity": "high"})
    assert changed.parameters(0, 1)["endpoints"] == 20
    assert changed.severity({}) is Severity.HIGH


@pytest.mark.parametrize("wrong", [{"endpoints": 0}, {"endpoint": 5}, {"severity": "grave"}, {"enabled": "yes"}])
def test_a_wrong_setting_is_refused_with_its_place(wrong: dict[str, int | str]) -> None:
    with pytest.raises(DefinitionError, match=r"settings of volume\.endpoint_spray"):
        type(DETECTORS["volume.endpoint_spray"])(wrong)


def test_a_source_without_bodies_is_blind_for_stuffing() -> None:
    blind = coverage(list(DETECTORS.values()), {"nginx": int(Evidence.PATH | Evidence.CLIENT_ADDRESS), "all": 2047})
    assert {b.subject for b in blind} == {"nginx"}
    assert ("authentication.credential_stuffing", ("request_body",)) in {(b.detector, b.missing) for b in blind}


def test_events_that_came_together_are_one_span_and_a_straggler_is_one_of_its_own() -> None:
    arrived = [(9000.0, 9010.0), (8000.0, 8999.0), (100.0, 101.0)]
    assert spans(arrived, oldest=0) == [Span(start=8000.0, end=9010.0015), Span(start=100.0, end=101.0015)]


def test_what_is_too_old_is_left_out() -> None:
    assert spans([(100.0, 101.0), (9000.0, 9010.0)], oldest=9005.0) == [Span(start=9005.0, end=9010.0015)]
    assert spans([(100.0, 101.0)], oldest=9000.0) == []
    assert spans([], oldest=0) == []


def test_the_last_event_is_within_its_span_whatever_its_millisecond() -> None:
    """Queries cut the end to whole milliseconds, as `toInt64({window_end:Float64} * 1000)` does."""
    for millisecond in range(1000):
        last = 1_795_000_000 + millisecond / 1000
        (span,) = spans([(last, last)], oldest=0)
        assert int(span.end * 1000) > round(last * 1000) >= int(span.start * 1000)
