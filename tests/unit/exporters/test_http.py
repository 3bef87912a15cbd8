"""Splunk, Elasticsearch, Sentinel and webhooks against servers that check every request."""

from __future__ import annotations

import gzip
import hmac
import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest
from tests.export_servers import Answer, Authority, HttpReceiver, Request
from tests.unit.exporters.items import LINES, exporter, items

from gatewatch.egress.http import retry_after
from gatewatch.errors import ConfigurationError
from gatewatch.exporters.elasticsearch import Elasticsearch
from gatewatch.exporters.sentinel import Sentinel
from gatewatch.exporters.splunk_hec import SplunkHec
from gatewatch.exporters.webhook import Webhook
from gatewatch.ports.export import BatchRefusedError, DeliveryError, Exporter

Make = Callable[..., HttpReceiver]


def test_a_webhook_is_signed_over_time_and_body(receiver: Make, secret: str) -> None:
    server = receiver()
    exporter(Webhook, url=f"{server.url}/hook?x=1", secret=secret, token=secret).send(items(2))
    (request,) = server.requests
    assert request.path == "/hook?x=1"
    assert json.loads(request.body) == [{"n": 0}, {"n": 1}]
    stamp = request.headers["gatewatch-timestamp"]
    wanted = hmac.new(b"s3cret", stamp.encode() + b"." + request.body, sha256).hexdigest()
    assert request.headers["gatewatch-signature"] == f"v1={wanted}"
    assert request.headers["authorization"] == "Bearer s3cret"
    assert request.headers["content-type"] == "application/json"


def test_the_same_batch_sent_again_is_the_same_delivery(receiver: Make) -> None:
    server = receiver()
    hook = exporter(Webhook, url=server.url)
    hook.send(items(2))
    hook.send(items(2))
    hook.send(items(3))
    first, again, other = (request.headers["gatewatch-delivery"] for request in server.requests)
    assert first == again != other


def test_lines_come_with_their_heading(receiver: Make) -> None:
    server = receiver()
    exporter(Webhook, LINES, url=server.url).send(items(2, body=b"1,2"))
    assert server.requests[0].body == b"a,b\n1,2\n1,2\n"


def test_single_items_stop_at_the_one_that_is_not_taken(receiver: Make) -> None:
    answers = {b'{"n":1}': Answer(400), b'{"n":3}': Answer(503, headers={"retry-after": "7"})}
    server = receiver(lambda request: answers.get(request.body, Answer()))
    hook = exporter(Webhook, url=server.url, single=True)
    with pytest.raises(DeliveryError) as refused:
        hook.send(items(4))
    assert (refused.value.settled, list(refused.value.refused)) == (2, [1])
    with pytest.raises(DeliveryError) as away:
        hook.send(items(4)[2:])
    assert (away.value.settled, away.value.refused, away.value.retry_after_s) == (1, {}, 7.0)


STATUSES: dict[int, tuple[type[DeliveryError], bool]] = {
    301: (DeliveryError, False),
    307: (DeliveryError, False),
    400: (BatchRefusedError, True),
    401: (DeliveryError, False),
    403: (DeliveryError, False),
    404: (DeliveryError, False),
    413: (BatchRefusedError, True),
    422: (BatchRefusedError, True),
    429: (DeliveryError, False),
    500: (DeliveryError, False),
    503: (DeliveryError, False),
}


@pytest.mark.parametrize("status", STATUSES)
def test_what_an_answer_means(receiver: Make, status: int) -> None:
    other = receiver()
    server = receiver(Answer(status, headers={"location": f"{other.url}/elsewhere"}))
    kind, for_good = STATUSES[status]
    with pytest.raises(kind) as caught:
        exporter(Webhook, url=f"{server.url}/hook/s3cret").send(items(1))
    assert isinstance(caught.value, BatchRefusedError) == for_good
    assert "s3cret" not in str(caught.value)
    assert other.requests == [], "a redirect was followed"


RETRY_AFTER = {
    "12": 12.0,
    "Thu, 01 Jan 2026 12:00:30 GMT": 30.0,
    "Thu, 01 Jan 2026 11:00:00 GMT": 0.0,
    "Thu, 01 Jan 2026 12:00:30 -0000": 30.0,
    "soon": None,
    "": None,
}


@pytest.mark.parametrize("text", RETRY_AFTER)
def test_retry_after_in_both_forms(text: str) -> None:
    headers = {"retry-after": text, "date": "Thu, 01 Jan 2026 12:00:00 GMT"}
    assert retry_after(httpx.Response(503, headers=headers)) == RETRY_AFTER[text]


def test_tls_is_verified(receiver: Make, trust: Authority) -> None:
    server = receiver(tls=trust.server)
    exporter(Webhook, url=server.url, ca_file=trust.ca_file).send(items(1))
    with pytest.raises(DeliveryError, match=r"no answer from 127\.0\.0\.1"):
        exporter(Webhook, url=server.url).send(items(1))
    assert len(server.requests) == 1


def test_nobody_there_can_be_tried_again(receiver: Make) -> None:
    server = receiver()
    server.close()
    hook = exporter(Webhook, url=f"{server.url}/s3cret")
    with pytest.raises(DeliveryError) as caught:
        hook.send(items(1))
    assert (caught.value.settled, caught.value.refused) == (0, {})
    assert "s3cret" not in caught.value.message


WRONG: dict[str, tuple[type[Exporter], dict[str, Any]]] = {
    "plain http to another machine": (Webhook, {"url": "http://siem.example/x"}),
    "no host": (Webhook, {"url": "https:///x"}),
    "another scheme": (Webhook, {"url": "ftp://127.0.0.1/x"}),
    "a password in the address": (Webhook, {"url": "https://user:pass@siem.example"}),
    "certificates that are none": (Webhook, {"url": "https://siem.example", "ca_file": "/dev/null"}),
    "half of a login": (Elasticsearch, {"url": "https://siem.example", "user": "elastic"}),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_can_not_work_is_said_at_once(name: str) -> None:
    kind, settings = WRONG[name]
    with pytest.raises(ConfigurationError) as caught:
        exporter(kind, **settings)
    assert "pass" not in caught.value.message.replace("password", "")


def test_plain_http_to_another_machine_can_be_allowed() -> None:
    exporter(Webhook, url="http://siem.example/x", insecure=True).close()


def test_a_secret_is_read_when_it_is_needed_and_never_told(receiver: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    server = receiver()
    hook = exporter(Webhook, url=server.url, secret="env:GATEWATCH_TEST_SECRET")
    with pytest.raises(DeliveryError, match="env:GATEWATCH_TEST_SECRET is empty"):
        hook.send(items(1))
    monkeypatch.setenv("GATEWATCH_TEST_SECRET", "s3cret")
    hook.send(items(1))
    assert "gatewatch-signature" in server.requests[0].headers


def test_an_address_can_be_a_secret(receiver: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server = receiver(Answer(503))
    (tmp_path / "url").write_text(f"{server.url}/flow?sig=s3cret\n")
    with pytest.raises(DeliveryError) as caught:
        exporter(Webhook, url=f"file:{tmp_path}/url").send(items(1))
    assert "s3cret" not in caught.value.message
    assert server.requests[0].path == "/flow?sig=s3cret"
    monkeypatch.setenv("GATEWATCH_TEST_URL", "http://siem.example/s3cret")
    with pytest.raises(DeliveryError, match="without TLS") as plain:
        exporter(Webhook, url="env:GATEWATCH_TEST_URL").send(items(1))
    assert "s3cret" not in plain.value.message


def hec(answer: dict[str, Any], status: int = 200) -> Answer:
    return Answer(status, json.dumps(answer).encode())


def test_hec_events_carry_time_index_and_event_id(receiver: Make, secret: str) -> None:
    server = receiver(hec({"text": "Success", "code": 0}))
    exporter(SplunkHec, url=server.url, token=secret, index="api").send(items(2))
    (request,) = server.requests
    assert request.path == "/services/collector/event"
    assert request.headers["authorization"] == "Splunk s3cret"
    decoder, text, events = json.JSONDecoder(), request.body.decode(), []
    while text:
        event, end = decoder.raw_decode(text)
        events.append(event)
        text = text[end:]
    assert events[1] == {
        "time": 1767268801.0,
        "source": "gatewatch",
        "sourcetype": "gatewatch",
        "index": "api",
        "event": {"n": 1},
        "fields": {"event_id": "alert:a1:1", "kind": "alert"},
    }


def test_hec_takes_lines_as_text(receiver: Make, secret: str) -> None:
    server = receiver(hec({"text": "Success", "code": 0}))
    exporter(SplunkHec, LINES, url=server.url, token=secret).send(items(1, body=b'CEF:0|a"b'))
    assert json.loads(server.requests[0].body)["event"] == 'CEF:0|a"b'


HEC: dict[str, tuple[Answer, bool, dict[int, str]]] = {
    "one event is wrong": (hec({"code": 6, "invalid-event-number": 1}, 400), False, {1: "HEC code 6"}),
    "some event is wrong": (hec({"code": 6}, 400), True, {}),
    "the number is of no event": (hec({"code": 12, "invalid-event-number": 9}, 400), True, {}),
    "the index is wrong": (hec({"code": 7}, 400), False, {}),
    "the channel is missing": (hec({"code": 10}, 400), False, {}),
    "the token is wrong": (hec({"code": 4}, 403), False, {}),
    "busy": (hec({"code": 9}, 503), False, {}),
    "no JSON at all": (Answer(400, b"<html>"), False, {}),
}


@pytest.mark.parametrize("name", HEC)
def test_hec_answers(receiver: Make, secret: str, name: str) -> None:
    answer, whole, refused = HEC[name]
    server = receiver(answer)
    with pytest.raises(DeliveryError) as caught:
        exporter(SplunkHec, url=server.url, token=secret).send(items(3))
    assert isinstance(caught.value, BatchRefusedError) == whole
    assert (caught.value.settled, caught.value.refused) == (0, refused)


def test_hec_waits_for_the_indexer(receiver: Make, secret: str) -> None:
    polls: list[Any] = []

    def answer(request: Request) -> Answer:
        assert request.headers["x-splunk-request-channel"]
        if request.path.startswith("/services/collector/ack?channel="):
            polls.append(json.loads(request.body))
            return hec({"acks": {"5": len(polls) > 2}})
        return hec({"code": 0, "ackId": 5})

    server = receiver(answer)
    settings: dict[str, Any] = {"url": server.url, "token": secret, "ack": True, "ack_poll_s": 0.01}
    exporter(SplunkHec, **settings).send(items(1))
    assert polls == [{"acks": [5]}] * 3
    polls.clear()
    with pytest.raises(DeliveryError, match="did not acknowledge"):
        exporter(SplunkHec, **settings | {"ack_timeout_s": 0.001, "ack_poll_s": 0.01}).send(items(1))


def bulk(*statuses: int, kind: str = "mapper_parsing_exception") -> Answer:
    found = [
        {"create": {"status": s} | ({"error": {"type": kind, "reason": "value s3cret"}} if s > 299 else {})}
        for s in statuses
    ]
    return Answer(200, json.dumps({"errors": True, "items": found}).encode())


def test_a_bulk_request_creates_documents_under_the_event_id(receiver: Make, secret: str) -> None:
    server = receiver(bulk(201, 409))
    exporter(Elasticsearch, url=server.url, api_key=secret).send(items(2))
    (request,) = server.requests
    assert (request.path, request.headers["content-type"]) == ("/_bulk", "application/x-ndjson")
    assert request.headers["authorization"] == "ApiKey s3cret"
    lines = [json.loads(line) for line in request.body.splitlines()]
    assert lines[0] == {"create": {"_index": "logs-gatewatch.alert-default", "_id": "alert:a0:1"}}
    assert lines[1] == {"n": 0}
    assert request.body.endswith(b"\n")


BULK: dict[str, tuple[Answer, int, list[int]]] = {
    "one is refused for good": (bulk(201, 400, 201), 3, [1]),
    "one has to wait: it and all behind it come again": (bulk(201, 429, 201), 1, []),
    "a refused one before a waiting one": (bulk(400, 429, 201), 1, [0]),
    "the index can't be written": (bulk(403, 403, 403, kind="cluster_block_exception"), 0, []),
    "the whole answer is an error": (Answer(503), 0, []),
    "an answer about fewer items": (bulk(201), 0, []),
    "no bulk answer": (Answer(200, b"{}"), 0, []),
}


@pytest.mark.parametrize("name", BULK)
def test_bulk_answers(receiver: Make, name: str) -> None:
    answer, settled, refused = BULK[name]
    server = receiver(answer)
    with pytest.raises(DeliveryError) as caught:
        exporter(Elasticsearch, url=server.url).send(items(3))
    assert (caught.value.settled, list(caught.value.refused)) == (settled, refused)
    assert "s3cret" not in f"{caught.value.message} {caught.value.refused}"


class Azure:
    """The sign-in and the ingestion endpoint."""

    def __init__(self, **answers: Answer) -> None:
        self.signed_in, self.answers = 0, answers
        self.rows: list[Any] = []

    def __call__(self, request: Request) -> Answer:
        if request.path == "/my-tenant/oauth2/v2.0/token":
            form = parse_qs(request.body.decode(), strict_parsing=True)
            assert form == {
                "grant_type": ["client_credentials"],
                "client_id": ["app"],
                "client_secret": ["s3cret"],
                "scope": ["https://monitor.azure.com/.default"],
            }
            self.signed_in += 1
            token = {"access_token": f"t{self.signed_in}", "expires_in": 3600, "token_type": "Bearer"}
            return self.answers.get("sign_in", Answer(200, json.dumps(token).encode()))
        assert request.path == "/dataCollectionRules/dcr-0123/streams/Custom-Gatewatch?api-version=2023-01-01"
        assert request.headers["content-encoding"] == "gzip"
        if request.headers["authorization"] in self.answers:
            return self.answers[request.headers["authorization"]]
        self.rows += json.loads(gzip.decompress(request.body))
        return Answer(204, b"")


def sentinel(server: HttpReceiver, secret: str) -> Exporter:
    return exporter(
        Sentinel,
        url=server.url,
        rule="dcr-0123",
        stream="Custom-Gatewatch",
        tenant="my-tenant",
        client_id="app",
        client_secret=secret,
        authority=server.url,
    )


def test_sentinel_signs_in_once_and_sends_rows(receiver: Make, secret: str) -> None:
    azure = Azure()
    target = sentinel(receiver(azure), secret)
    target.send(items(2))
    target.send(items(1))
    assert azure.signed_in == 1
    assert azure.rows[1] == {
        "TimeGenerated": "2026-01-01T12:00:01.000+00:00",
        "EventId": "alert:a1:1",
        "Kind": "alert",
        "Severity": "high",
        "Data": {"n": 1},
    }


def test_sentinel_signs_in_again_when_the_token_is_refused(receiver: Make, secret: str) -> None:
    azure = Azure(**{"Bearer t1": Answer(401)})
    sentinel(receiver(azure), secret).send(items(1))
    assert (azure.signed_in, len(azure.rows)) == (2, 1)


def test_sentinel_says_what_went_wrong(receiver: Make, secret: str) -> None:
    problem = json.dumps({"error": {"code": "InvalidStream", "message": "s3cret"}}).encode()
    target = sentinel(receiver(Azure(**{"Bearer t1": Answer(400, problem)})), secret)
    with pytest.raises(BatchRefusedError, match="InvalidStream") as caught:
        target.send(items(1))
    assert "s3cret" not in caught.value.message


def test_a_failed_sign_in_is_no_fault_of_the_batch(receiver: Make, secret: str) -> None:
    target = sentinel(receiver(Azure(sign_in=Answer(400, b'{"error":"invalid_client"}'))), secret)
    with pytest.raises(DeliveryError) as caught:
        target.send(items(1))
    assert not isinstance(caught.value, BatchRefusedError)
