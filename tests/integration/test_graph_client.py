"""Microsoft's own client, unmodified, against a server on a real port: msgraph-sdk and azure-identity."""

from __future__ import annotations

import asyncio
import ssl
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from tests.integration.test_rest import Rest

from gatewatch.model.alert import AlertStatus, Severity
from gatewatch.model.incident import IncidentStatus
from gatewatch.model.observation import Actor, ActorKind
from gatewatch.model.verdict import Classification, Determination
from gatewatch.ports.control import Role
from gatewatch.testing.alerts import NOON, alert
from gatewatch.testing.processes import free_port
from gatewatch.traffic.clickhouse import ClickHouseTraffic

pytestmark = [
    # The client warns about itself while it is imported.
    pytest.mark.filterwarnings("ignore::DeprecationWarning:kiota_abstractions.*"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:msgraph.*"),
]


@contextmanager
def served(rest: Rest, **tls: Any) -> Iterator[str]:
    """The application on a port of its own until the block ends; its address."""
    port = free_port()
    config = uvicorn.Config(
        rest.app,
        host="127.0.0.1",
        port=port,
        log_level="critical",
        lifespan="off",
        ws="none",
        loop="asyncio",
        http="h11",
        **tls,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.01)
    try:
        yield f"{'https' if tls else 'http'}://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()


@pytest.fixture
def rest(tmp_path: Path, traffic: ClickHouseTraffic) -> Iterator[Rest]:
    made = Rest(tmp_path, traffic)
    yield made
    made.close()


def fill(rest: Rest, count: int) -> None:
    """So many alerts, each an incident of its own; a minute of wall time after each other."""
    for number in range(count):
        rest.clock.time = NOON + 60 * number
        one = alert(
            number,
            actors=(Actor(ActorKind.SUBJECT, f"person{number}@shop.test"),),
            client_ips=(f"198.51.{number}.1",),
            endpoints=(f"GET shop /p{number}",),
            alert_type=f"T{number}",
            detector="authentication.password_guessing",
            severity=Severity.HIGH if number % 2 else Severity.LOW,
        )
        rest.control.upsert_alerts([one], at=rest.clock.time)
        rest.correlation.run()


class Credential:
    """An azure-core TokenCredential that asks our token endpoint over HTTP, which azure-identity refuses to do."""

    def __init__(self, base: str, text: str) -> None:
        self._base, self._text = base, text

    def get_token(self, *scopes: str, **_: Any) -> Any:
        from azure.core.credentials import AccessToken

        client_id, secret = self._text.split("_")[1:]
        form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret}
        form["scope"] = " ".join(scopes)
        answer = httpx.post(f"{self._base}/contoso/oauth2/v2.0/token", data=form, timeout=60)
        body = answer.raise_for_status().json()
        return AccessToken(body["access_token"], int(time.time()) + body["expires_in"])


def graph(base: str, credential: Any) -> Any:
    from msgraph import GraphServiceClient

    client = GraphServiceClient(credential, scopes=["https://graph.microsoft.com/.default"])
    client.request_adapter.base_url = f"{base}/v1.0"
    return client


Asking = Callable[[Any], Awaitable[None]]


def drive(rest: Rest, ask: Asking, role: Role = Role.ANALYST) -> None:
    async def driven(base: str) -> None:
        client = graph(base, Credential(base, rest.tokens[role]))
        try:
            await ask(client)
        finally:
            # Closing the client leaves the connections of the transport inside its own open.
            await client.request_adapter._http_client._transport.transport.aclose()

    with served(rest) as base:
        asyncio.run(driven(base))


def asked(**options: Any) -> Any:
    """A request's configuration with these query parameters; incidents and alerts take the same ones."""
    from kiota_abstractions.base_request_configuration import RequestConfiguration
    from msgraph.generated.security.incidents.incidents_request_builder import IncidentsRequestBuilder

    return RequestConfiguration(
        query_parameters=IncidentsRequestBuilder.IncidentsRequestBuilderGetQueryParameters(**options)
    )


def test_it_lists_filters_orders_counts_and_expands(rest: Rest) -> None:
    fill(rest, 6)

    async def ask(client: Any) -> None:
        every = await client.security.incidents.get(asked(count=True, expand=["alerts"]))
        assert [one.id for one in every.value] == ["6", "5", "4", "3", "2", "1"]
        assert every.odata_count == 6
        assert [len(one.alerts) for one in every.value] == [1] * 6
        assert every.value[0].alerts[0].incident_id == "6"
        since = "2026-01-01T12:02:00Z"
        found = await client.security.incidents.get(
            asked(
                filter=f"severity eq 'high' and (createdDateTime gt {since} or status eq 'resolved')",
                orderby=["lastUpdateDateTime asc"],
                top=5,
            )
        )
        assert [(one.id, one.severity.value) for one in found.value] == [("4", "high"), ("6", "high")]
        assert await client.security.incidents.count.get() == 6
        assert await client.security.alerts_v2.count.get() == 6
        low = await client.security.alerts_v2.get(asked(filter="not (severity ne 'low')", select=["id", "title"]))
        assert [one.id for one in low.value] == ["dca0004", "dca0002", "dca0000"]
        assert low.value[0].severity is None

    drive(rest, ask)


def test_it_pages_to_the_end_by_next_links(rest: Rest) -> None:
    fill(rest, 7)

    async def ask(client: Any) -> None:
        from msgraph_core.tasks.page_iterator import PageIterator

        first = await client.security.alerts_v2.get(asked(top=3, orderby=["createdDateTime"]))
        assert len(first.value) == 3
        seen: list[str] = []

        def keep(one: Any) -> bool:
            seen.append(one.id)
            return True

        await PageIterator(first, client.request_adapter).iterate(keep)
        assert seen == [f"dca000{number}" for number in range(7)]

    drive(rest, ask)


def test_it_reads_one_incident_and_its_alert_with_evidence(rest: Rest) -> None:
    fill(rest, 1)

    async def ask(client: Any) -> None:
        incident = await client.security.incidents.by_incident_id("1").get()
        assert incident.status.value == "active"
        assert incident.created_date_time == datetime(2026, 1, 1, 12, tzinfo=UTC)
        assert incident.incident_web_url.endswith("/incidents/1")
        alerts = await client.security.incidents.by_incident_id("1").alerts.get()
        assert [one.id for one in alerts.value] == ["dca0000"]
        one = await client.security.incidents.by_incident_id("1").alerts.by_alert_id("dca0000").get()
        assert one.service_source.value == one.detection_source.value == "unknownFutureValue"
        assert one.mitre_techniques == ["T1110.001"]
        assert one.recommended_actions
        kinds = {part.odata_type.rpartition(".")[2]: part for part in one.evidence}
        assert kinds["ipEvidence"].ip_address == "198.51.0.1"
        assert kinds["userEvidence"].user_account.user_principal_name == "person0@shop.test"
        assert kinds["azureResourceEvidence"].resource_name == "GET shop /p0"
        assert kinds["urlEvidence"].url == "https://shop/p0"

    drive(rest, ask, Role.VIEWER)


def test_unknown_members_are_shown_to_who_prefers_them(rest: Rest) -> None:
    fill(rest, 1)

    async def ask(client: Any) -> None:
        from kiota_abstractions.base_request_configuration import RequestConfiguration

        wanted = RequestConfiguration()
        wanted.headers.add("Prefer", "include-unknown-enum-members")
        one = await client.security.alerts_v2.by_alert_id("dca0000").get(wanted)
        assert one.service_source.value == "microsoftDefenderForCloud"
        assert one.detection_source.value == "microsoftDefenderForApiManagement"

    drive(rest, ask)


def test_it_changes_incidents_and_alerts_in_the_name_of_its_token(rest: Rest) -> None:
    fill(rest, 2)

    async def ask(client: Any) -> None:
        from msgraph.generated.models.security.alert import Alert
        from msgraph.generated.models.security.alert_classification import AlertClassification
        from msgraph.generated.models.security.alert_determination import AlertDetermination
        from msgraph.generated.models.security.alert_status import AlertStatus as Status
        from msgraph.generated.models.security.incident import Incident
        from msgraph.generated.models.security.incident_status import IncidentStatus as IncidentState

        wanted = Incident(
            status=IncidentState.Resolved,
            assigned_to="ann@shop.test",
            classification=AlertClassification.TruePositive,
            determination=AlertDetermination.CompromisedAccount,
            custom_tags=["vip"],
        )
        changed = await client.security.incidents.by_incident_id("1").patch(wanted)
        assert (changed.status.value, changed.custom_tags) == ("resolved", ["vip"])
        assert changed.last_modified_by == "analyst"
        one = await client.security.alerts_v2.by_alert_id("dca0001").patch(Alert(status=Status.InProgress))
        assert one.status.value == "inProgress"

    drive(rest, ask)
    incident = rest.control.cases.incident(1)
    assert (incident.status, incident.determination) == (IncidentStatus.RESOLVED, Determination.COMPROMISED_ACCOUNT)
    assert rest.control.alert("a0000").status is AlertStatus.RESOLVED
    assert rest.control.alert("a0000").classification is Classification.TRUE_POSITIVE
    assert rest.control.alert("a0001").status is AlertStatus.IN_PROGRESS
    assert {entry.by for entry in rest.control.cases.activities(incident=1)[0] if entry.action == "changed"} == {
        "analyst"
    }


def test_it_comments_merges_and_moves(rest: Rest) -> None:
    fill(rest, 4)

    async def ask(client: Any) -> None:
        from msgraph.generated.models.security.alert_comment import AlertComment
        from msgraph.generated.models.security.correlation_reason import CorrelationReason
        from msgraph.generated.security.alerts_v2.microsoft_graph_security_move_alerts import (
            move_alerts_post_request_body as moving,
        )
        from msgraph.generated.security.incidents.microsoft_graph_security_merge_incidents import (
            merge_incidents_post_request_body as merging,
        )

        told = await client.security.alerts_v2.by_alert_id("dca0000").comments.post([AlertComment(comment="Seen.")])
        assert [(one.comment, one.created_by_display_name) for one in told] == [("Seen.", "analyst")]
        body = merging.MergeIncidentsPostRequestBody(
            incident_ids=["2", "1"], incident_comment="One partner.", merge_reasons=CorrelationReason.SameActor
        )
        merged = await client.security.incidents.microsoft_graph_security_merge_incidents.post(body)
        assert merged.target_incident_id == "1"
        gone = await client.security.incidents.by_incident_id("2").get()
        assert (gone.status.value, gone.redirect_incident_id) == ("redirected", "1")
        stays = await client.security.incidents.by_incident_id("1").get()
        assert [one.comment for one in stays.comments] == ["One partner."]
        away = moving.MoveAlertsPostRequestBody(
            alert_ids=["dca0003"],
            incident_id="1",
            alert_comment="Also.",
            new_correlation_reasons=CorrelationReason.SameCampaign,
        )
        moved = await client.security.alerts_v2.microsoft_graph_security_move_alerts.post(away)
        assert moved.target_incident_id == "1"
        now = await client.security.incidents.by_incident_id("1").alerts.get()
        assert sorted(one.id for one in now.value) == ["dca0000", "dca0001", "dca0003"]

    drive(rest, ask)
    assert rest.control.alert("a0003").links[0].subject == "Also. sameCampaign"


def test_errors_come_as_the_clients_own_exception(rest: Rest) -> None:
    fill(rest, 1)

    async def ask(client: Any) -> None:
        from msgraph.generated.models.o_data_errors.o_data_error import ODataError
        from msgraph.generated.models.security.incident import Incident

        with pytest.raises(ODataError) as missing:
            await client.security.incidents.by_incident_id("99").get()
        assert missing.value.response_status_code == 404
        assert missing.value.error.code == "ResourceNotFound"
        assert missing.value.error.inner_error.request_id
        with pytest.raises(ODataError) as wrong:
            await client.security.incidents.get(asked(filter="severity eq 'enormous'"))
        assert "character 1 of $filter" in wrong.value.error.message
        with pytest.raises(ODataError) as refused:
            await client.security.incidents.by_incident_id("1").patch(Incident(assigned_to="me"))
        assert refused.value.response_status_code == 403

    drive(rest, ask, Role.VIEWER)


def certificate(directory: Path) -> dict[str, str]:
    """A self-signed certificate for 127.0.0.1 and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    text = serialization.Encoding.PEM
    plain = key.private_bytes(text, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (directory / "key.pem").write_bytes(plain)
    (directory / "certificate.pem").write_bytes(made.public_bytes(text))
    return {"ssl_keyfile": str(directory / "key.pem"), "ssl_certfile": str(directory / "certificate.pem")}


def test_azure_identity_gets_its_token_over_tls(rest: Rest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Its connections end without TLS's farewell; the server would wait half a minute for it.
    monkeypatch.setattr("asyncio.constants.SSL_SHUTDOWN_TIMEOUT", 0.2)
    from azure.core.exceptions import ClientAuthenticationError
    from azure.identity import ClientSecretCredential

    files = certificate(tmp_path)
    _, client_id, secret = rest.tokens[Role.VIEWER].split("_")
    trusted = files["ssl_certfile"]
    with served(rest, **files) as base:
        known = {"authority": base, "disable_instance_discovery": True, "connection_verify": trusted}
        with ClientSecretCredential("contoso", client_id, secret, **known) as credential:
            token = credential.get_token("https://graph.microsoft.com/.default").token
        with (
            ClientSecretCredential("contoso", client_id, "0" * 64, **known) as wrong,
            pytest.raises(ClientAuthenticationError),
        ):
            wrong.get_token("https://graph.microsoft.com/.default")
        answer = httpx.get(
            f"{base}/v1.0/security/incidents",
            headers={"authorization": f"Bearer {token}"},
            verify=ssl.create_default_context(cafile=trusted),
            timeout=60,
        )
    assert (answer.status_code, answer.json()["value"]) == (200, [])
