"""A review from draft to signature, its documents and its evidence, over REST with real stores."""

from __future__ import annotations

import json
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import msgspec
import pytest
import structlog
from tests.integration.test_rest import Rest
from typer.testing import CliRunner

from gatewatch.bootstrap.signing import FileSigner
from gatewatch.cli.app import app
from gatewatch.detect.planning import Span
from gatewatch.errors import ConfigurationError
from gatewatch.formats.evidence import verify
from gatewatch.model.activity import Subject
from gatewatch.model.verdict import Classification
from gatewatch.ports.control import AlertFilter, Role
from gatewatch.services.detecting import DetectionRun
from gatewatch.services.incidents.patches import AlertPatch
from gatewatch.testing.traffic import Call, numbered, store_calls
from gatewatch.traffic.clickhouse import ClickHouseTraffic

NOON = 1_767_268_800.0
START = NOON - 3600
GUESSING = "authentication.password_guessing"
GUESSES = {"192.0.2.2": 14, "192.0.2.3": 20, "192.0.2.4": 40}


def guesses(address: str, count: int) -> list[Call]:
    return [
        Call(
            ts=START + k,
            ip=address,
            method="POST",
            template="/login",
            status=401,
            login=f"account of {address}",
            tried=f"pw{k}",
        )
        for k in range(count)
    ]


class Case(Rest):
    """One incident of three alerts on stored traffic: two false, one real."""

    def __init__(self, directory: Path, traffic: ClickHouseTraffic) -> None:
        super().__init__(directory, traffic)
        calls = [call for address, count in GUESSES.items() for call in guesses(address, count)]
        calls += [Call(ts=START + n, ip="198.51.100.9", method="POST", template="/login") for n in range(5)]
        store_calls(traffic, numbered(calls), token="t")
        run = DetectionRun(traffic, self.control, structlog.get_logger())
        for detector in run.detectors():
            if detector.meta.id == GUESSING:
                run.attempt(detector, [Span(start=START, end=START + 1200)])
        self.catalogue.refresh()
        self.correlation.run()
        alerts = self.control.alerts(AlertFilter())[0]
        numbers = {alert.incident for alert in alerts}
        self.number = min(numbers)
        if len(numbers) > 1:
            self.post("/v1/incidents/merge", {"incident_ids": sorted(numbers), "reason": "one attacker"})
        for alert in self.control.alerts(AlertFilter())[0]:
            real = alert.client_ips == ("192.0.2.4",)
            said = Classification.TRUE_POSITIVE if real else Classification.FALSE_POSITIVE
            self.services.casework.change_alert(alert.id, AlertPatch(classification=said), by="ann")

    @property
    def services(self) -> Any:
        return self.app.state.services

    def get(self, path: str) -> Any:
        answer = self.client().get(path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, body: Any = None) -> Any:
        answer = self.client().post(path, json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def write(self, status: int = 200, match: str = "", **body: Any) -> Any:
        headers = {"if-match": match} if match else {}
        answer = self.client().put(self.path(), json=body, headers=headers)
        assert answer.status_code == status, answer.text
        return answer.json()

    def path(self, more: str = "") -> str:
        return f"/v1/incidents/{self.number}/review{more}"

    def finish(self) -> Any:
        """Everything answered."""
        drafted = self.post(self.path("/draft"))
        self.client().patch(
            f"/v1/incidents/{self.number}", json={"status": "resolved", "classification": "true_positive"}
        )
        follow_ups = [
            {"id": one["id"], "title": one["title"], "owner": "Ann", "due_at": "2026-02-01T00:00:00Z"}
            for one in drafted["follow_ups"]
        ]
        proposals = [
            {name: one[name] for name in ("id", "kind", "subject", "text", "settings")} | {"decision": "accepted"}
            for one in drafted["proposals"]
        ]
        return self.write(
            root_cause="No limit on logins.",
            impact="None known.",
            worked=["The alert."],
            failed=["The limit."],
            follow_ups=follow_ups,
            proposals=proposals,
        )

    def actions(self) -> list[str]:
        return [entry["action"] for entry in self.get(f"/v1/incidents/{self.number}/activities")["items"]][::-1]


@pytest.fixture
def case(tmp_path: Path, traffic: ClickHouseTraffic) -> Iterator[Case]:
    made = Case(tmp_path, traffic)
    yield made
    made.close()


def test_before_anybody_wrote_there_are_facts_and_questions(case: Case) -> None:
    found = case.get(case.path())
    assert (found["revision"], found["sign_off"]) == (0, None)
    assert len(found["facts"]["summary"]) == 5
    asked = {question["field"] for question in found["facts"]["questions"]}
    assert {"classification", "status", "root_cause", "impact", "worked", "failed"} <= asked
    (quality,) = found["facts"]["quality"]
    assert (quality["alerts"], quality["true"], quality["false"]) == (3, 1, 2)
    assert [one["milestone"] for one in found["facts"]["timeline"]][-2:] == ["contained", "resolved"]
    assert found["root_cause"] == "", "nothing is invented"
    assert case.control.cases.review(case.number) is None, "reading keeps nothing"


def test_a_draft_proposes_the_threshold_with_its_back_test(case: Case) -> None:
    drafted = case.post(case.path("/draft"))
    (setting,) = [one for one in drafted["proposals"] if one["kind"] == "detector_setting"]
    assert (setting["subject"], setting["settings"]) == (GUESSING, {"secrets": 24})
    test = setting["backtest"]
    assert (test["stored"], test["found"], test["lost"], test["gained"]) == (3, 1, 2, 0)
    (posture,) = [one for one in drafted["proposals"] if one["kind"] == "posture"]
    assert posture["findings"][0]["endpoint"] == "POST api.example.test/login"
    assert drafted["follow_ups"][0]["owner"] is None
    assert case.actions()[-1] == "review_drafted"


def test_a_draft_keeps_what_people_wrote_and_decided(case: Case) -> None:
    case.finish()
    again = case.post(case.path("/draft"))
    assert again["root_cause"] == "No limit on logins."
    assert {one["owner"] for one in again["follow_ups"]} == {"Ann"}
    assert {one["decision"] for one in again["proposals"]} == {"accepted"}


def test_a_review_with_open_questions_can_not_be_signed(case: Case) -> None:
    assert case.client().post(case.path("/sign-off")).status_code == 409
    case.post(case.path("/draft"))
    refused = case.client().post(case.path("/sign-off"))
    assert refused.status_code == 409
    assert "questions are open" in refused.json()["detail"]


def test_what_is_signed_stands_still_until_somebody_writes(case: Case) -> None:
    written = case.finish()
    signed = case.post(case.path("/sign-off"))
    assert signed["sign_off"]["digest"] == signed["digest"]
    case.client().patch(f"/v1/incidents/{case.number}", json={"description": "later"})
    later = case.get(case.path())
    assert later == signed
    document = case.client().get(case.path("/document?format=md")).text
    assert "has changed since the review was signed" in document
    assert case.client().post(case.path("/sign-off")).status_code == 409
    reopened = case.write(impact="Two accounts.")
    assert (reopened["sign_off"], reopened["revision"]) == (None, signed["revision"] + 1)
    assert written["revision"] + 1 == signed["revision"]
    assert case.actions()[-4:] == ["review_signed", "changed", "review_reopened", "review_changed"]
    assert case.control.cases.verify_activities() > 0


def test_a_change_names_what_it_was_decided_on(case: Case) -> None:
    case.write(impact="x")
    case.write(412, match='"0"', impact="y")
    assert case.write(match='"1"', impact="y")["revision"] == 2
    assert case.write(impact="y")["revision"] == 2, "nothing new is no change"


WRONG: dict[str, dict[str, Any]] = {
    "an unknown member": {"sign_off": {"by": "me"}},
    "evidence that the client made up": {
        "proposals": [{"id": "1", "kind": "posture", "subject": "x", "text": "y", "backtest": {}}]
    },
    "a setting out of range": {
        "proposals": [
            {"id": "1", "kind": "detector_setting", "subject": GUESSING, "text": "y", "settings": {"secrets": 0}}
        ]
    },
    "a setting without a value": {
        "proposals": [{"id": "1", "kind": "detector_setting", "subject": GUESSING, "text": "y"}]
    },
    "a rule without conditions": {
        "proposals": [
            {
                "id": "1",
                "kind": "suppression",
                "subject": "all",
                "text": "y",
                "suppression": {"alert_type": "*", "reason": "z"},
            }
        ]
    },
    "two follow-ups with one id": {"follow_ups": [{"id": "1", "title": "a"}, {"id": "1", "title": "b"}]},
    "a text without end": {"root_cause": "x" * 30_001},
}


@pytest.mark.parametrize("name", WRONG)
def test_what_can_not_be_written_is_refused(case: Case, name: str) -> None:
    case.write(422, **WRONG[name])
    assert case.control.cases.review(case.number) is None


def test_people_propose_and_the_server_measures(case: Case) -> None:
    rule = {
        "alert_type": "API_PasswordGuessing",
        "conditions": [{"field": "address", "values": ["192.0.2.0/24"]}],
        "reason": "our own test",
    }
    wish = {"id": "1", "kind": "suppression", "subject": "own-test", "text": "Our own test.", "suppression": rule}
    (proposal,) = case.write(proposals=[wish])["proposals"]
    assert (proposal["trial"]["dismissed"], proposal["trial"]["true"]) == (3, 1)
    assert proposal["by_rule"] is False
    (decided,) = case.write(proposals=[wish | {"decision": "rejected"}])["proposals"]
    assert decided["trial"] == proposal["trial"]
    assert decided["decision"] == "rejected"


def test_a_merged_incident_keeps_its_review_and_takes_no_other(case: Case) -> None:
    other = case.services.casework.move([case.control.alerts(AlertFilter())[0][0].id], None, by="ann", reason="its own")
    case.client().put(f"/v1/incidents/{other.id}/review", json={"impact": "x"})
    case.post("/v1/incidents/merge", {"incident_ids": [case.number, other.id], "reason": "no, one"})
    gone = case.client().put(f"/v1/incidents/{other.id}/review", json={"impact": "y"})
    assert gone.status_code == 409
    assert case.get(f"/v1/incidents/{other.id}/review")["impact"] == "x"
    assert case.client().get("/v1/incidents/999/review").status_code == 404


def test_documents_come_in_three_formats(case: Case) -> None:
    client = case.client(Role.VIEWER)
    begins = {"md": b"**Confidential**", "html": b"<!doctype html>", "pdf": b"%PDF"}
    for kind, begin in begins.items():
        answer = client.get(case.path(f"/document?format={kind}&timezone=Asia/Tokyo"))
        assert answer.status_code == 200
        assert answer.content.startswith(begin)
        assert f'review.{kind}"' in answer.headers["content-disposition"]
        assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert client.get(case.path("/document?format=exe")).status_code == 422
    assert client.get(case.path("/document?timezone=Nowhere")).status_code == 422


def test_the_bundle_verifies_with_the_key_that_the_server_shows(case: Case) -> None:
    case.finish()
    case.post(case.path("/sign-off"))
    assert case.client(Role.VIEWER).get(f"/v1/incidents/{case.number}/evidence").status_code == 403
    data = case.client(Role.ANALYST).get(f"/v1/incidents/{case.number}/evidence").content
    key = case.get("/v1/signing-key")
    found = verify(BytesIO(data), expected_key=key["fingerprint"])
    assert (found.faults, found.key_expected) == ((), True)
    assert found.manifest is not None
    assert found.manifest.observations_missing == ()
    assert case.actions()[-1] == "evidence_exported"
    again = verify(BytesIO(case.client().get(f"/v1/incidents/{case.number}/evidence").content))
    assert again.manifest is not None
    assert again.activities == found.activities + 1
    assert again.manifest.audit_log_number == found.manifest.audit_log_number + 1


def test_the_bundle_of_a_merged_incident_tells_what_was_done_in_the_others_before(case: Case) -> None:
    from zipfile import ZipFile

    alert = case.control.alerts(AlertFilter())[0][0]
    other = case.services.casework.move([alert.id], None, by="ann", reason="its own")
    case.services.casework.comment(Subject.INCIDENT, str(other.id), "Seen before the merge.", by="bo")
    case.post("/v1/incidents/merge", {"incident_ids": [case.number, other.id], "reason": "no, one"})
    data = case.client().get(f"/v1/incidents/{case.number}/evidence").content
    found = verify(BytesIO(data))
    assert found.faults == ()
    with ZipFile(BytesIO(data)) as archive:
        entries = [json.loads(line)["entry"] for line in archive.read("activities.ndjson").splitlines()]
        page = archive.read("review.md").decode()
    assert found.activities >= len(entries)
    assert {entry["incident"] for entry in entries} >= {case.number, other.id}
    told = [(entry["incident"], entry["action"]) for entry in entries]
    assert (other.id, "comment") in told
    assert (other.id, "redirected") in told
    assert [entry["number"] for entry in entries] == sorted(entry["number"] for entry in entries)
    assert "Seen before the merge." in page
    alone = case.client().get(f"/v1/incidents/{other.id}/evidence")
    assert alone.status_code == 200


def test_the_bundle_holds_exactly_the_calls_that_alerts_name(case: Case) -> None:
    from zipfile import ZipFile

    with ZipFile(BytesIO(case.client().get(f"/v1/incidents/{case.number}/evidence").content)) as archive:
        lines = [json.loads(line) for line in archive.read("observations.ndjson").splitlines()]
        detectors = json.loads(archive.read("detectors.json"))
    named = {item.observation_id for alert in case.control.alerts(AlertFilter())[0] for item in alert.evidence}
    assert {line["id"] for line in lines} == named
    assert [(one["id"], one["settings"]["secrets"]) for one in detectors] == [(GUESSING, 12)]
    assert "password" in detectors[0]["rule"]["description"]


def test_a_call_that_is_not_stored_any_more_is_named(case: Case) -> None:
    case.traffic._command(
        "ALTER TABLE observations DELETE WHERE client_ip = toIPv6('192.0.2.2') SETTINGS mutations_sync=2"
    )
    found = verify(BytesIO(case.client().get(f"/v1/incidents/{case.number}/evidence").content))
    assert found.intact
    assert found.manifest is not None
    assert len(found.manifest.observations_missing) == 10


def test_changes_of_settings_are_in_the_audit_log_and_the_bundle(case: Case) -> None:
    from zipfile import ZipFile

    assert case.client().put(f"/v1/detectors/{GUESSING}/settings", json={"secrets": 15}).status_code == 200
    assert case.client().put(f"/v1/detectors/{GUESSING}/settings", json={"secrets": 15}).status_code == 200
    (entry,) = case.get("/v1/activities?subject=detector")["items"]
    assert entry["details"] == {"secrets": "default -> 15"}
    data = case.client().get(f"/v1/incidents/{case.number}/evidence").content
    assert verify(BytesIO(data)).intact
    with ZipFile(BytesIO(data)) as archive:
        (line,) = archive.read("detector-changes.ndjson").splitlines()
    assert json.loads(line)["entry"]["subject_id"] == GUESSING


def test_a_back_test_over_rest_changes_nothing(case: Case) -> None:
    body = {"settings": {"secrets": 30}, "since": "2026-01-01T11:00:00Z", "until": "2026-01-01T11:30:00Z"}
    before = case.get("/v1/alerts")
    answer = case.client(Role.ANALYST).post(f"/v1/detectors/{GUESSING}/backtest", json=body)
    assert answer.status_code == 200
    found = answer.json()
    assert (found["stored"], found["lost"], found["current"]) == (3, 2, {"secrets": 12})
    assert {one["before"] - one["after"] for one in found["verdicts"] if one["classification"] == "false_positive"} == {
        2
    }
    assert case.get("/v1/alerts") == before
    assert case.client(Role.VIEWER).post(f"/v1/detectors/{GUESSING}/backtest", json=body).status_code == 403
    assert case.client().post("/v1/detectors/no.such/backtest", json=body).status_code == 404


def test_the_command_verifies_offline_with_documented_exit_codes(case: Case, tmp_path: Path) -> None:
    file, bad, pem = tmp_path / "e.zip", tmp_path / "bad.zip", tmp_path / "key.pem"
    file.write_bytes(case.client().get(f"/v1/incidents/{case.number}/evidence").content)
    bad.write_bytes(file.read_bytes()[:-100])
    key = case.get("/v1/signing-key")
    pem.write_text(key["public_key"])
    runner = CliRunner()
    for given in ([], ["--key", key["fingerprint"]], ["--key", str(pem)]):
        done = runner.invoke(app, ["evidence", "verify", str(file), *given])
        assert (done.exit_code, done.output.splitlines()[0]) == (0, "INTACT"), done.output
        assert ("The key came with the bundle" in done.output) == (not given)
    other = runner.invoke(app, ["evidence", "verify", str(file), "--key", "ab" * 32, "--json"])
    assert other.exit_code == 11
    assert [fault["code"] for fault in json.loads(other.output)["faults"]] == ["other-key"]
    assert runner.invoke(app, ["evidence", "verify", str(bad)]).exit_code == 11


def test_the_signing_key_is_made_once_and_for_its_owner(tmp_path: Path) -> None:
    file = tmp_path / "signing.key"
    first = FileSigner(file)
    assert file.stat().st_mode & 0o777 == 0o600
    assert FileSigner(file).public_key == first.public_key
    for wrong in (b"", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"):
        file.write_bytes(wrong)
        with pytest.raises(ConfigurationError) as refused:
            FileSigner(file)
        assert "AAAA" not in refused.value.message


def test_a_review_survives_the_store(case: Case) -> None:
    case.finish()
    kept = case.control.cases.review(case.number)
    assert kept is not None
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(kept), type=type(kept)) == kept
