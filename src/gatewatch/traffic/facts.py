"""Rows of the store's queries as values of the model."""

from __future__ import annotations

from typing import Any, cast

from gatewatch.model.inventory import EndpointFacts, FieldFact, InformationFact
from gatewatch.model.observation import Location
from gatewatch.model.path import PathRecord, PathState, TemplateReason
from gatewatch.ports.traffic import Row

__all__ = ["endpoint_facts", "field_fact", "information_fact", "path_record"]

_STATUS_COLUMNS = {"none": "none", "c1": "1xx", "c2": "2xx", "c3": "3xx", "c4": "4xx", "c5": "5xx"}


def path_record(row: Row) -> PathRecord:
    """One row of `paths`."""
    values = cast("dict[str, Any]", dict(row))
    values["state"] = PathState(values["state"])
    values["reason"] = TemplateReason(values["reason"])
    return PathRecord(**values)


def endpoint_facts(row: Row) -> EndpointFacts:
    """One row of queries/endpoint_facts.sql."""
    values = cast("dict[str, Any]", row)
    return EndpointFacts(
        endpoint_id=values["endpoint_id"],
        method=values["method"],
        host=values["host"],
        template=values["template"],
        operation=values["operation"],
        first_seen=values["first_seen"],
        last_seen=values["last_seen"],
        calls=values["calls"],
        calls_by_status_class={name: values[column] for column, name in _STATUS_COLUMNS.items() if values[column]},
        authenticated_accepted=values["authenticated_accepted"],
        anonymous_accepted=values["anonymous_accepted"],
        anonymous_refused=values["anonymous_refused"],
        credential_evidence=values["credential_evidence"],
        external_last_seen=values["external_last_seen"],
        actors=values["actors"],
        clients=values["clients"],
        sources=tuple(values["sources"]),
        template_reason=values["reason"],
        template_confidence=round(values["confidence"], 3),
        template_why=values["why"],
    )


def information_fact(row: Row) -> tuple[int, InformationFact]:
    """One row of queries/information_facts.sql with its endpoint id."""
    values = cast("dict[str, Any]", row)
    location = Location(values["location"])
    response = location in (Location.RESPONSE_BODY, Location.RESPONSE_HEADER)
    return values["endpoint_id"], InformationFact(
        type=values["type"],
        location=location,
        path=values["path"],
        transactions=values["transactions"],
        share=round(min(1.0, values["transactions"] / max(1, values["samples"])), 4),
        status_classes=tuple(f"{n}xx" for n in values["status_classes"] if n) if response else (),
        first_seen=values["first_seen"],
        last_seen=values["last_seen"],
    )


def field_fact(row: Row) -> FieldFact:
    """One row of queries/field_facts.sql."""
    values = cast("dict[str, Any]", row)
    return FieldFact(
        endpoint_id=values["endpoint_id"],
        method=values["method"],
        host=values["host"],
        template=values["template"],
        location=Location(values["location"]),
        path=values["path"],
        types=tuple(values["types"]),
        value_types=tuple(values["value_types"]),
        transactions=values["transactions"],
    )
