from __future__ import annotations

from typing import Any

import pytest

from gatewatch.cli.app import run
from gatewatch.cli.rest import Server

AT = "2026-01-01T12:00:00.000Z"
STEP = {
    "path": "ticket",
    "attempt": 1,
    "kind": "desk.create",
    "state": "succeeded",
    "inputs": {"title": "x"},
    "values": {"number": "INC1"},
    "link": None,
    "error": None,
    "note": None,
    "ended_at": AT,
}
RUN = {
    "id": "r1",
    "playbook": "stop",
    "version": 1,
    "subject": {"kind": "incident", "id": "7"},
    "state": "waiting",
    "staged": False,
    "at": "may",
    "error": None,
    "steps": [STEP, {**STEP, "path": "issue", "link": "https://desk.example/1"}],
}
ASKED = {"path": "may", "text": "Block it?", "expires_at": AT, "settled_at": AT, "answers": [], "open": False}
QUESTIONS: dict[str, dict[str, Any]] = {
    "q1": {
        **ASKED,
        "id": "q1",
        "settled": "approve",
        "answers": [{"at": AT, "by": "link to soc@x", "choice": "approve", "note": "go"}],
    },
    "q2": {**ASKED, "id": "q2", "settled": "reject"},
    "q3": {**ASKED, "id": "q3", "settled": None, "open": True},
}


def call(_: Server, __: str, path: str, *, parameters: Any = None, **___: Any) -> Any:
    if path == "/v1/runs/r1":
        return RUN
    if path == "/v1/questions":
        assert parameters["run"] == "r1"
        return {"items": [{"id": name} for name in QUESTIONS], "next": None}
    return QUESTIONS[path.removeprefix("/v1/questions/")]


def test_a_run_tells_what_its_steps_brought_and_who_agreed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Server, "call", call)
    monkeypatch.setenv("COLUMNS", "200")
    assert run(["runs", "show", "r1"]) == 0
    told = capsys.readouterr().out
    for wanted in ("number=INC1", "https://desk.example/1", AT):
        assert wanted in told
    assert told.endswith(
        "may: Block it?\n"
        f"  {AT} link to soc@x said approve (go)\n"
        "may: Block it?\n"
        f"  {AT} nobody answered: reject\n"
        "may: Block it?\n"
        f"  open until {AT}: gatewatch questions answer q3\n"
    )
