"""Flows that subscribe with a callback address, on both engines, called over real HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from sqlalchemy import text
from tests.connector_servers import SECRET, Answer, LogicApp, Vendor

from gatewatch.connectors.callbacks import Callbacks
from gatewatch.errors import ConflictError, InputError, NotFoundError
from gatewatch.journal.sealing import Seal
from gatewatch.ports.connectors import Outcome
from gatewatch.ports.subscriptions import SubscriptionKind
from gatewatch.services.subscribing import MOST_SUBSCRIPTIONS, Subscribing, alert_message
from gatewatch.store.sql import SqlControlStore
from gatewatch.testing.alerts import NOON, alert

FLOW = "/workflows/abcdef0123456789/triggers/manual?api-version=1&sig=mark3r%2Fs3cret%2Bvalue%3D"
KIND = SubscriptionKind.ALERT


class Flow:
    """One flow, and the service that calls it."""

    def __init__(self, store: SqlControlStore) -> None:
        self.logic = LogicApp()
        self.server = Vendor(self.logic)
        self.url = self.server.url + FLOW
        self.store = store
        caller = Callbacks(["*.logic.azure.com"], private=[self.server.url.removeprefix("http://")])
        self.service = Subscribing(store=store.subscriptions, caller=caller, sealing=Seal(b"k" * 32), clock=self)

    def now(self) -> float:
        return NOON

    def tell(self) -> Any:
        (result,) = self.service.tell(KIND, alert_message(alert(1), "https://gw.example"), key="a-1").values()
        return result


@pytest.fixture
def flow(store: SqlControlStore) -> Iterator[Flow]:
    made = Flow(store)
    yield made
    made.server.close()


def test_a_flow_subscribes_and_is_told(flow: Flow) -> None:
    made = flow.service.subscribe(flow.url, kind=KIND, by="ann")
    assert flow.service.subscribe(flow.url, kind=KIND, by="bob").id == made.id
    assert flow.tell().outcome is Outcome.SUCCEEDED
    assert flow.server.complaints == []
    (body,) = flow.logic.bodies
    wanted = ["ProviderAlertId", "ProviderPolicyId", "AlertDisplayName", "Description", "Severity", "CompromisedEntity"]
    assert set(wanted) <= set(body)
    assert (body["ProviderAlertId"], body["AlertUri"]) == ("a0001", "https://gw.example/alerts/a0001")
    assert flow.service.tell(SubscriptionKind.INCIDENT, {}, key="i-1") == {}
    flow.service.unsubscribe(made.id)
    with pytest.raises(NotFoundError):
        flow.service.unsubscribe(made.id)


def test_the_address_is_kept_sealed(flow: Flow) -> None:
    made = flow.service.subscribe(flow.url, kind=KIND, by="ann")
    with flow.store._engine.connect() as connection:
        kept = b"".join(bytes(body) for body in connection.execute(text("SELECT body FROM subscriptions")).scalars())
    assert b"sig=" not in kept
    assert b"mark3r" not in kept
    assert "sig=" not in repr(made)


def test_failures_are_counted_and_a_flow_that_is_gone_is_forgotten(flow: Flow) -> None:
    flow.service.subscribe(flow.url, kind=KIND, by="ann")
    flow.server.faults.extend([Answer(500), Answer(429, None, {"retry-after": "3"}), "cut"])
    outcomes = [(result.outcome, result.again, result.retry_after_s) for result in (flow.tell() for _ in range(3))]
    assert outcomes == [
        (Outcome.UNKNOWN, False, None), (Outcome.FAILED, True, 3.0), (Outcome.UNKNOWN, False, None),
    ]  # fmt: skip
    (one,) = flow.service.subscriptions()
    assert one.failures == 3
    assert SECRET not in one.last_error
    flow.tell()
    assert flow.service.subscriptions()[0].failures == 0
    flow.server.faults.append(Answer(410))
    flow.tell()
    assert flow.service.subscriptions() == []


def test_what_is_remembered_of_a_flow_that_was_removed_meanwhile_brings_it_not_back(flow: Flow) -> None:
    made = flow.service.subscribe(flow.url, kind=KIND, by="ann")
    assert flow.service.keep(msgspec.structs.replace(made, position=7, told=2))
    assert [(one.position, one.told) for one in flow.service.subscriptions()] == [(7, 2)]
    assert flow.service.subscribe(flow.url, kind=KIND, by="bob").position == 7, "what it missed it is told"
    flow.service.unsubscribe(made.id)
    assert not flow.service.keep(made)
    assert flow.service.subscriptions() == []


WRONG = {
    "another host": "https://evil.example/x",
    "a host that only ends alike": "https://evillogic.azure.com/x",
    "the domain itself": "https://logic.azure.com/x",
    "another port": "https://prod-1.logic.azure.com:8443/x",
    "no TLS": "http://prod-1.logic.azure.com/x",
    "a password": "https://u:p@prod-1.logic.azure.com/x",
    "metadata": "http://169.254.169.254/latest",
    "this machine at another port": "http://127.0.0.1:1/x",
    "a file": "file:///etc/passwd",
    "a line break": "https://prod-1.logic.azure.com/x\r\ny",
}


@pytest.mark.parametrize("name", WRONG)
def test_addresses_that_may_not_be_called(name: str) -> None:
    with pytest.raises(InputError) as caught:
        Callbacks(["*.logic.azure.com"], private=["127.0.0.1:8080"]).check(WRONG[name])
    assert "/x" not in caught.value.message


def test_what_is_allowed() -> None:
    assert Callbacks(["*.logic.azure.com"]).check("https://Prod-1.Logic.azure.com:443/x") == "prod-1.logic.azure.com"


def test_a_host_that_leads_inside_is_not_called() -> None:
    caller = Callbacks(["*.logic.azure.com"], resolver=lambda *_: ["10.0.0.1"])
    result = caller.call("https://prod-1.logic.azure.com/x", {}, key="k")
    assert (result.outcome, result.again) == (Outcome.FAILED, False)
    assert "leads to an address of a private network" in result.error


def test_their_number_is_bounded(flow: Flow) -> None:
    for number in range(MOST_SUBSCRIPTIONS):
        flow.service.subscribe(f"{flow.url}&n={number}", kind=KIND, by="ann")
    flow.service.subscribe(f"{flow.url}&n=0", kind=KIND, by="ann")
    with pytest.raises(ConflictError):
        flow.service.subscribe(flow.url, kind=KIND, by="ann")
