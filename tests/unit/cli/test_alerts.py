from __future__ import annotations

from typing import Any

import pytest

from gatewatch.cli.app import run
from gatewatch.cli.rest import Server

AT = "2026-01-01T12:00:00.000Z"
ALERT = {
    "id": "a1",
    "title": "Spike",
    "alert_type": "API_Spike",
    "detector": "volume.spike",
    "severity": "low",
    "status": "new",
    "incident_id": 7,
    "assigned_to": None,
    "count": 243,
    "first_seen": AT,
    "last_seen": AT,
    "classification": "unknown",
    "determination": "unknown",
    "suppressed_by": None,
    "actors": [{"kind": "subject", "id": f"u{number}"} for number in range(21)],
    "client_ips": ["192.0.2.1"],
    "endpoints": [],
    "explanation": "It made 243 calls.",
    "evidence": [{"ts": AT, "summary": "GET /x answered 200", "observation_id": "o1"}],
    "steps": ["Look."],
}


def test_an_alert_is_told_to_people(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(Server, "call", lambda *_, **__: ALERT)
    assert run(["alerts", "show", "a1"]) == 0
    told = capsys.readouterr().out
    assert "{" not in told
    assert told.splitlines() == [
        "Spike (API_Spike, volume.spike)",
        "  low · new · incident 7 · assigned to nobody · a1",
        f"  243 calls from {AT} to {AT}",
        "  who: " + ", ".join(f"subject:u{number}" for number in range(20)) + " and 1 more",
        "  from: 192.0.2.1",
        "  where: -",
        "  why: It made 243 calls.",
        "Calls that show it",
        f"  {AT} GET /x answered 200 (o1)",
        "What to do",
        "  1. Look.",
    ]


CHANGES: dict[str, tuple[list[str], dict[str, str]]] = {
    "a status": (["resolved"], {"status": "resolved"}),
    "an owner alone": (["--owner", "ann"], {"assigned_to": "ann"}),
}


@pytest.mark.parametrize("name", CHANGES)
def test_each_property_can_be_changed_alone(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    given, wanted = CHANGES[name]
    sent: list[Any] = []

    def call(_: Server, __: str, ___: str, *, body: Any) -> Any:
        sent.append(body)
        return ALERT

    monkeypatch.setattr(Server, "call", call)
    assert run(["alerts", "set", "a1", *given]) == 0
    assert sent == [wanted]


def test_a_change_of_nothing_is_a_mistake(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["alerts", "set", "a1"]) == 2
    assert "nothing to change" in capsys.readouterr().err
