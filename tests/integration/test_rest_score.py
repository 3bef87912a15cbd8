"""The secure score from calls to REST and the command line, and on its way to a SIEM."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.integration.test_rest import Rest

from gatewatch.model.export import ExportKind
from gatewatch.model.score import SecureScore, entries
from gatewatch.ports.changes import ChangeKind
from gatewatch.ports.control import Role
from gatewatch.testing.traffic import Call, numbered, store_calls
from gatewatch.traffic.clickhouse import ClickHouseTraffic

NOON = 1_767_268_800.0


@pytest.fixture
def rest(tmp_path: Path, traffic: ClickHouseTraffic) -> Iterator[Rest]:
    made = Rest(tmp_path, traffic)
    made.clock.time = NOON
    yield made
    made.close()


def called(rest: Rest, token: str, *calls: tuple[str, str], host: str = "shop.example") -> None:
    made = [Call(ts=NOON, user=user, template=template, host=host) for user, template in calls]
    store_calls(rest.traffic, numbered(made), token=token)
    rest.catalogue.refresh()


def newest_kept(rest: Rest) -> SecureScore:
    newest = rest.control.scores.newest()
    assert newest is not None
    assert newest.number == 2
    return newest


def get(rest: Rest, path: str, role: Role = Role.VIEWER) -> Any:
    answer = rest.client(role).get(path)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_nothing_judged_is_no_score(rest: Rest) -> None:
    rest.catalogue.refresh()
    made = get(rest, "/v1/score")
    assert (made["percentage"], made["controls"], made["number"]) == (None, [], None)
    assert get(rest, "/v1/score/history")["items"] == []


def test_the_score_of_what_was_called(rest: Rest) -> None:
    called(rest, "one", ("ann", "/api/users"), ("", "/api/open"))
    made = get(rest, "/v1/score")
    # Both endpoints are in use (4 of 4 points), one of them is open to everybody (2 of 4).
    assert (made["current"], made["max"], made["percentage"], made["number"]) == (6.0, 8.0, 75.0, 1)
    first, second = get(rest, "/v1/score/controls")["items"]
    assert (first["control"], first["healthy"], first["unhealthy"]) == ("access_and_permissions", 1, 1)
    assert (first["current"], first["potential_increase"]) == (2.0, 2.0)
    assert second["control"] == "security_configurations"
    assert [one["control"] for one in get(rest, "/v1/score/controls?unhealthy=true")["items"]] == [first["control"]]


def test_pages_of_controls(rest: Rest) -> None:
    called(rest, "one", ("ann", "/api/users"), ("", "/api/open"))
    page = get(rest, "/v1/score/controls?limit=1")
    rest_of_it = get(rest, f"/v1/score/controls?limit=1&cursor={page['next']}")
    assert [one["control"] for one in page["items"] + rest_of_it["items"]] == [
        "access_and_permissions",
        "security_configurations",
    ]
    assert rest_of_it["next"] is None
    assert rest.client().get("/v1/score/controls?cursor=nonsense").status_code == 422


def test_collections_have_scores_and_weights(rest: Rest) -> None:
    called(rest, "one", ("ann", "/api/users"), ("", "/api/open"))
    called(rest, "two", ("", "/api/pay"), host="bank.example")
    bank, shop = get(rest, "/v1/score/collections")["items"]
    assert (bank["host"], bank["percentage"], bank["weight"]) == ("bank.example", 50.0, 2)
    assert (shop["host"], shop["percentage"], shop["weight"]) == ("shop.example", 75.0, 4)
    assert get(rest, "/v1/score")["collections_weighted_percentage"] == round((50 * 2 + 75 * 4) / 6, 4)


def test_a_snapshot_for_every_change_and_none_without(rest: Rest) -> None:
    called(rest, "one", ("ann", "/api/users"), ("", "/api/open"))
    rest.catalogue.refresh()
    rest.clock.time += 600
    rest.catalogue.refresh()
    assert len(get(rest, "/v1/score/history")["items"]) == 1
    called(rest, "two", ("bob", "/api/orders"))
    newest, oldest = get(rest, "/v1/score/history")["items"]
    assert (newest["number"], oldest["number"]) == (2, 1)
    assert newest["percentage"] > oldest["percentage"]
    assert get(rest, "/v1/score/history?until=2026-01-01T12:05:00Z")["items"] == [oldest]
    assert get(rest, "/v1/score/history?since=2026-01-01T12:05:00Z")["items"] == [newest]
    told = [one.subject for one in rest.control.changes.changes(0, 1000) if one.kind is ChangeKind.SCORE]
    assert told == ["overall", "access_and_permissions", "security_configurations", "overall", "access_and_permissions"]
    assert rest.control.exports.read(ExportKind.SCORE, ["overall"]) == {
        "overall": entries(newest_kept(rest))["overall"]
    }


def test_the_command_line(rest: Rest, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    from gatewatch.cli.app import run
    from gatewatch.cli.rest import Server

    called(rest, "one", ("ann", "/api/users"), ("", "/api/open"))

    def content(_: Server, method: str, path: str, *, parameters: Any = None, **_more: Any) -> bytes:
        wanted = {name: value for name, value in (parameters or {}).items() if value != ""}
        return rest.client(Role.VIEWER).request(method, path, params=wanted).content

    monkeypatch.setattr(Server, "content", content)
    assert run(["score"]) == 0
    assert "Secure score: 75.00 % (6.00 of 8 points)" in capsys.readouterr().out
    assert run(["score", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["percentage"] == 75.0
    assert run(["score", "history", "--json"]) == 0
    assert [one["number"] for one in json.loads(capsys.readouterr().out)["items"]] == [1]
    assert run(["score", "collections"]) == 0
    assert "shop.example/api" in capsys.readouterr().out
