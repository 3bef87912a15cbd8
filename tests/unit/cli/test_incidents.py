from __future__ import annotations

from typing import Any

import pytest

from gatewatch.cli.app import run
from gatewatch.cli.rest import Server

AT = "2026-01-01T12:00:0{}.000Z"
INCIDENT = {
    "id": 7,
    "name": "Stuffing",
    "severity": "high",
    "status": "in_progress",
    "priority": 92,
    "assigned_to": None,
    "redirect_to": None,
    "factors": [],
    "first_activity": AT.format(1),
    "last_activity": AT.format(9),
    "classification": "true_positive",
    "determination": "compromised_account",
}
STEP = {"title": "Stuffing", "sentence": "It tried.", "links": []}
DOSSIER = {
    "incident": INCIDENT,
    "story": {
        "summary": "One alert.",
        "chapters": [{"first_seen": AT.format(1), "title": "Credential access", "steps": [STEP]}],
        "left_out": 0,
    },
    "entities": [],
    "rules": [],
}
PLAN = {"effect": "block", "scope": {"kind": "address", "value": "192.0.2.1"}, "gateway": "edge"}
BLOCK = {
    "id": "gw-1",
    "plan": PLAN,
    "state": "in_force",
    "verdict": "measuring",
    "by": "run r1",
    "created_at": AT.format(3),
    "expires_at": AT.format(8),
}
LISTS: dict[str, list[dict[str, Any]]] = {
    "/v1/containments": [BLOCK, {**BLOCK, "id": "gw-0", "state": "rolled_back", "verdict": "no_effect"}],
    "/v1/runs": [
        {"id": "r1", "playbook": "stop", "state": "waiting", "staged": True, "by": "ann", "created_at": AT.format(2)}
    ],
    "/v1/questions": [{"id": "q1", "text": "Block it?", "expires_at": AT.format(7)}],
}


def served(lists: dict[str, list[dict[str, Any]]]) -> Any:
    def call(_: Server, __: str, path: str, *, parameters: Any = None, **___: Any) -> Any:
        if path.endswith("/dossier"):
            return DOSSIER
        assert parameters["incident"] == 7
        return {"items": lists.get(path, []), "next": None}

    return call


def test_an_incident_tells_since_when_and_what_was_done(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Server, "call", served(LISTS))
    assert run(["incidents", "show", "7"]) == 0
    told = capsys.readouterr().out
    assert "  seen from 2026-01-01 12:00:01Z to 2026-01-01 12:00:09Z\n" in told
    assert "  concluded: true positive, compromised account\n" in told
    assert "\n2026-01-01 12:00:01Z Credential access\n" in told, "no time without its zone"
    assert told.endswith(
        "What was done\n"
        "  2026-01-01 12:00:03Z block address 192.0.2.1 on edge: in force until 2026-01-01 12:00:08Z, measuring;"
        " gw-1 by run r1\n"
        "  2026-01-01 12:00:03Z block address 192.0.2.1 on edge: rolled back, no effect; gw-0 by run r1\n"
        "  2026-01-01 12:00:02Z playbook stop: waiting (a simulation); r1 by ann\n"
        "  waits until 2026-01-01 12:00:07Z for an answer: Block it?\n"
        "    gatewatch questions show q1\n"
    )


def test_where_nothing_was_done_nothing_is_said_of_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Server, "call", served({}))
    assert run(["incidents", "show", "7"]) == 0
    assert "What was done" not in capsys.readouterr().out


def test_the_log_says_what_each_entry_is_about(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    entry = {"at": AT.format(1), "by": "ann", "subject": "alert", "action": "changed", "text": "status"}
    page = {"items": [{**entry, "subject_id": f"a{n}"} for n in range(2)], "next": None}
    monkeypatch.setattr(Server, "call", lambda *_, **__: page)
    assert run(["incidents", "activities", "7"]) == 0
    told = capsys.readouterr().out
    assert "alert a0" in told
    assert "alert a1" in told


def test_a_change_of_nothing_is_a_mistake(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["incidents", "set", "7"]) == 2
    assert "nothing to change" in capsys.readouterr().err
