"""Who and what an alert names, as evidence (Graph) and as entities (legacy).

Addresses become ipEvidence, persons userEvidence, keys, certificates and consumers oauthApplicationEvidence, endpoints
azureResourceEvidence and urlEvidence (reference/microsoft.md 1.6 and 6.7).
"""

from __future__ import annotations

from gatewatch.formats.defender.vocabulary import ENTITY_VERDICT, moment
from gatewatch.formats.records import Record
from gatewatch.model.alert import Alert, AlertStatus, Severity
from gatewatch.model.incident import EntityVerdict, Incident
from gatewatch.model.observation import Actor, ActorKind
from gatewatch.model.verdict import Classification

__all__ = ["entities", "evidence"]

_MOST = 100
"""Of each kind."""
_PERSONS = (ActorKind.SUBJECT, ActorKind.SESSION)
_OPEN = (AlertStatus.NEW, AlertStatus.IN_PROGRESS)
_HARMLESS = (Classification.FALSE_POSITIVE, Classification.EXPECTED)
_NAMESPACE = "#microsoft.graph.security."
_ENTITY_KEYS = (
    "entityType",
    "sha1",
    "sha256",
    "fileName",
    "filePath",
    "processId",
    "processCommandLine",
    "processCreationTime",
    "parentProcessId",
    "parentProcessCreationTime",
    "ipAddress",
    "url",
    "accountName",
    "domainName",
    "userSid",
    "aadUserId",
    "userPrincipalName",
    "mailboxDisplayName",
    "mailboxAddress",
    "clusterBy",
    "sender",
    "recipient",
    "subject",
    "deliveryAction",
    "securityGroupId",
    "securityGroupName",
    "registryHive",
    "registryKey",
    "registryValueType",
    "registryValue",
    "deviceId",
)
"""All of them are always there (reference 6.1)."""


def evidence(alert: Alert, incident: Incident | None) -> list[Record]:
    """Evidence of one alert; `incident` knows what people said of the entities."""
    found: list[Record] = []
    for address in _addresses(alert):
        verdict = _verdict(alert, incident, f"address {address}")
        part = {"ipAddress": address, "countryLetterCode": None, "location": None, "stream": None}
        found.append(_item(alert, "ip", verdict, "attacker") | part)
    for actor in _actors(alert):
        verdict = _verdict(alert, incident, f"actor {actor.kind.value}:{actor.id}")
        role = "compromised" if verdict is EntityVerdict.COMPROMISED else "attacker"
        if actor.kind in _PERSONS:
            found.append(_item(alert, "user", verdict, role) | {"userAccount": _account(actor), "stream": None})
        else:
            part = {"appId": actor.id, "displayName": f"{actor.kind.value} {actor.id}"}
            found.append(_item(alert, "oauthApplication", verdict, role) | part | {"objectId": None, "publisher": None})
    for endpoint in alert.endpoints[:_MOST]:
        method, host, template = _parts(endpoint)
        resource = {
            "resourceId": f"/apis/{host}/operations/{method}{template}",
            "resourceName": endpoint,
            "resourceType": "API Management operation",
        }
        found.append(_item(alert, "azureResource", EntityVerdict.UNKNOWN, "attacked") | resource)
        found.append(_item(alert, "url", EntityVerdict.UNKNOWN, "attacked") | {"url": _url(host, template)})
    return found


def entities(alert: Alert) -> list[Record]:
    """The same for the legacy API, which knows users, addresses and URLs; keys that don't apply are null."""
    found: list[Record] = [{"entityType": "Ip", "ipAddress": address} for address in _addresses(alert)]
    for actor in _actors(alert):
        account = _account(actor)
        names = {name: account[name] for name in ("accountName", "userPrincipalName")}
        found.append({"entityType": "User", **names})
    urls = dict.fromkeys(_url(*_parts(endpoint)[1:]) for endpoint in alert.endpoints[:_MOST])
    found += [{"entityType": "Url", "url": url} for url in urls]
    return [dict.fromkeys(_ENTITY_KEYS) | entity for entity in found]


def _addresses(alert: Alert) -> list[str]:
    named = [*alert.client_ips, *(actor.id for actor in alert.actors if actor.kind is ActorKind.ADDRESS)]
    return list(dict.fromkeys(named))[:_MOST]


def _actors(alert: Alert) -> list[Actor]:
    return [actor for actor in alert.actors if actor.kind is not ActorKind.ADDRESS][:_MOST]


def _parts(endpoint: str) -> tuple[str, str, str]:
    """`METHOD host template`."""
    method, _, rest = endpoint.partition(" ")
    host, _, template = rest.partition(" ")
    return method, host, template


def _url(host: str, template: str) -> str:
    return f"https://{host}{template}"


def _account(actor: Actor) -> Record:
    return {
        "accountName": actor.id,
        "azureAdUserId": None,
        "displayName": None,
        "domainName": None,
        "userPrincipalName": actor.id if "@" in actor.id else None,
        "userSid": None,
    }


def _verdict(alert: Alert, incident: Incident | None, entity: str) -> EntityVerdict:
    said = incident.verdicts.get(entity) if incident is not None else None
    if said is not None:
        return said
    if alert.status is AlertStatus.DISMISSED or alert.classification in _HARMLESS:
        return EntityVerdict.CLEAN
    return EntityVerdict.MALICIOUS if alert.severity is Severity.HIGH else EntityVerdict.SUSPICIOUS


def _item(alert: Alert, kind: str, verdict: EntityVerdict, role: str) -> Record:
    return {
        "@odata.type": f"{_NAMESPACE}{kind}Evidence",
        "createdDateTime": moment(alert.created_at),
        "verdict": ENTITY_VERDICT[verdict],
        "remediationStatus": "active" if alert.status in _OPEN else "none",
        "remediationStatusDetails": None,
        "roles": [role],
        "detailedRoles": [],
        "tags": [],
    }
