"""Every vendor with a connection to its contract server and calls that use all of it."""

from __future__ import annotations

from collections.abc import Callable, Sized
from typing import Any, NamedTuple

from tests.connector_servers import (
    CrowdSec,
    GitHub,
    GitLab,
    Jira,
    LogicApp,
    Misp,
    Opsgenie,
    PagerDuty,
    Sentinel,
    ServiceNow,
    Slack,
    Teams,
)


class Vendor(NamedTuple):
    make: Callable[[], Any]
    connector: str
    secrets: tuple[str, ...]
    options: dict[str, str]
    action: str
    inputs: dict[str, Any]
    effects: Callable[[Any], Sized]
    """What counts calls that had their effect."""
    values: dict[str, Any]
    link: str = ""
    path: str = ""
    """Of the address."""
    repeatable: bool = False
    reads_back: bool = True


FLOW = "/workflows/abcdef0123456789/triggers/manual?api-version=1&sig=mark3r%2Fs3cret%2Bvalue%3D"
ISSUE = {"project": "SEC", "summary": "Stuffing", "description": "One\n\nTwo", "priority": "High", "labels": ["api"]}
REPORT = {"title": "Stuffing", "text": "Two sources", "links": [{"title": "Open", "url": "https://gw.example/1"}]}

VENDORS: dict[str, Vendor] = {
    "servicenow": Vendor(
        ServiceNow,
        "servicenow",
        ("password",),
        {"user": "gatewatch"},
        "create_incident",
        {"short_description": "Stuffing", "description": "Two sources", "urgency": "1"},
        lambda server: server.records,
        {"id": f"{1:032x}", "number": "INC0000001", "status": "1"},
        link="{url}/nav_to.do?uri=incident.do%3Fsys_id%3D" + f"{1:032x}",
    ),
    "jira cloud": Vendor(
        lambda: Jira(cloud=True),
        "jira_cloud",
        ("token",),
        {"user": "bot@example.org"},
        "create_issue",
        ISSUE,
        lambda server: server.issues,
        {"id": "SEC-1"},
        link="{url}/browse/SEC-1",
    ),
    "jira data center": Vendor(
        lambda: Jira(cloud=False),
        "jira_data_center",
        ("token",),
        {},
        "create_issue",
        ISSUE,
        lambda server: server.issues,
        {"id": "SEC-1"},
        link="{url}/browse/SEC-1",
    ),
    "slack": Vendor(
        Slack,
        "slack",
        ("token",),
        {},
        "post_message",
        {**REPORT, "channel": "C1"},
        lambda server: server.messages,
        {"message": "1767268800.000000", "channel": "C1"},
        path="/api",
    ),
    "teams": Vendor(
        Teams,
        "teams",
        (),
        {},
        "post_card",
        {**REPORT, "facts": [{"title": "Severity", "value": "High"}]},
        lambda server: server.cards,
        {},
        path=FLOW,
        reads_back=False,
    ),
    "pagerduty": Vendor(
        PagerDuty,
        "pagerduty",
        ("routing_key",),
        {},
        "trigger",
        {"summary": "Stuffing", "source": "shop", "severity": "critical", "links": [{"href": "https://gw.example"}]},
        lambda server: server.alerts,
        {"dedup_key": "run-1.step"},
        repeatable=True,
        reads_back=False,
    ),
    "opsgenie": Vendor(
        Opsgenie,
        "opsgenie",
        ("key",),
        {},
        "create_alert",
        {"message": "Stuffing", "priority": "P1", "details": {"incident": "12"}},
        lambda server: server.alerts,
        {"alias": "run-1.step"},
        repeatable=True,
    ),
    "github": Vendor(
        GitHub,
        "github",
        ("token",),
        {"owner": "acme", "repository": "api-security"},
        "create_issue",
        {"title": "Rate limit", "body": "Please.", "labels": ["security"]},
        lambda server: server.issues,
        {"number": 1},
        link="https://github.com/acme/api-security/issues/1",
    ),
    "gitlab": Vendor(
        GitLab,
        "gitlab",
        ("token",),
        {"project": "acme/api-security"},
        "create_issue",
        {"title": "Rate limit", "labels": ["security", "api"], "confidential": True},
        lambda server: server.issues,
        {"number": 1},
        link="https://gitlab.example/acme/-/issues/1",
    ),
    "crowdsec": Vendor(
        CrowdSec,
        "crowdsec",
        ("password",),
        {"machine": "gatewatch"},
        "decide",
        {"value": "203.0.113.7", "duration": "4h", "at": "2026-01-01T12:00:00Z", "reason": "Incident 12"},
        lambda server: server.alerts,
        {"alert": "1"},
    ),
    "sentinel": Vendor(
        Sentinel,
        "sentinel",
        ("client_secret",),
        {
            "tenant": "contoso.example",
            "client_id": "app",
            "subscription": "s-1",
            "resource_group": "soc",
            "workspace": "main",
            "authority": "{url}",
        },
        "create_incident",
        {"title": "Stuffing", "severity": "High", "labels": ["api"]},
        lambda server: server.incidents,
        {"id": "run-1.step", "number": 3177, "etag": '"1"', "status": "New", "classification": ""},
        repeatable=True,
    ),
    "logic app": Vendor(
        LogicApp,
        "logic_app",
        (),
        {},
        "start",
        {"body": {"Severity": "High"}},
        lambda server: server.bodies,
        {"run": "0858CU11"},
        path=FLOW,
        reads_back=False,
    ),
    "misp": Vendor(
        Misp,
        "misp",
        ("key",),
        {},
        "add_sighting",
        {"value": "203.0.113.7"},
        lambda server: server.sightings,
        {"message": "1 sighting successfully added."},
    ),
}
