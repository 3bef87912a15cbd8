from __future__ import annotations

import json
from typing import Any

import pytest

from gatewatch.cli.app import run
from gatewatch.cli.rest import Server

RADIUS = {
    "hours": 24.0,
    "calls": 3500,
    "calls_hit": 176,
    "actors_hit": 20,
    "bystanders": [f"subject:u{number}" for number in range(20)],
    "bystanders_count": 40,
    "bystander_calls": 176,
}
EVIDENCE = {
    "gateway": "edge",
    "effect": "block",
    "scope": "address",
    "actions": 3,
    "verdicts": {"worked": 2, "collateral": 1},
    "mean_fall": 0.97,
    "mean_collateral": 0.005,
}
PLAN = ["containments", "apply", "edge", "block", "address=198.51.100.7", "--reason", "x"]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    made: list[tuple[str, str]] = []

    def call(_: Server, method: str, path: str, *, body: Any = None, **__: Any) -> Any:
        made.append((method, path))
        if path.endswith("judgement"):
            shown = {**body, "incident": body["incident"] or None}
            people = 2 if body["forced"] else 1
            before = {"actions": 9, "verdicts": {"worked": 8, "no_effect": 1}} if body["effect"] == "throttle" else None
            return {
                "plan": shown,
                "digest": "d",
                "radius": RADIUS,
                "obstacles": [],
                "approvals": people,
                "evidence": before,
            }
        if path.endswith("evidence"):
            return {"items": [EVIDENCE], "next": None}
        return {"id": "gw-1", "state": "in_force", "expires_at": "2026-01-01T00:00:00.000Z", "removed_at": None}

    monkeypatch.setattr(Server, "call", call)
    return made


TOLD = {
    "without an incident nobody is called unknown to alerts": (
        [],
        "40 bystanders (176 calls); give --incident to tell attackers from others.",
    ),
    "of an incident": (["--incident", "4"], "Incident 4 does not name 40 callers of these (176 calls)."),
}


@pytest.mark.parametrize("name", TOLD)
def test_a_dry_run_says_whom_it_takes_for_bystanders(
    name: str, asked: list[tuple[str, str]], capsys: pytest.CaptureFixture[str]
) -> None:
    more, wanted = TOLD[name]
    assert run([*PLAN, *more, "--dry-run"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "In the last 24 hours it would have hit 176 of 3500 calls (20 callers)."
    assert lines[1] == wanted
    assert lines[2:] == [f"  subject:u{number}" for number in range(5)] + ["  … and 35 more"]
    assert asked == [("POST", "/v1/containments/judgement")]


def test_what_needs_others_is_said_before_anybody_is_asked(
    asked: list[tuple[str, str]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*PLAN, "--force"]) != 0
    assert "this needs 2 people to agree" in capsys.readouterr().err
    assert asked == [("POST", "/v1/containments/judgement")]


@pytest.mark.usefixtures("asked")
def test_how_such_have_fared_is_told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    assert run([*PLAN[:3], "throttle", *PLAN[4:], "--calls", "5", "--dry-run"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "Of 9 such before: 1 no effect, 8 worked."
    assert run(["containments", "evidence"]) == 0
    cells = capsys.readouterr().out.splitlines()[-1].split()
    assert cells == ["edge", "block", "address", "3", "1", "collateral,", "2", "worked", "97%", "0.50%"]


JSON = {
    "carried out": [*PLAN, "--yes", "--json"],
    "tried": [*PLAN, "--dry-run", "--json"],
    "taken back": ["containments", "rollback", "gw-1", "--reason", "x", "--json"],
    "shown": ["containments", "show", "gw-1", "--json"],
}


@pytest.mark.usefixtures("asked")
@pytest.mark.parametrize("name", JSON)
def test_with_json_the_output_is_one_document(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(JSON[name]) == 0
    assert isinstance(json.loads(capsys.readouterr().out), dict)
