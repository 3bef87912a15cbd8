"""Deliveries to hand to exporters."""

from __future__ import annotations

from typing import Any

import msgspec

from gatewatch.model.alert import Severity
from gatewatch.model.export import ExportKind, Shape
from gatewatch.ports.export import Content, Delivery, Exporter
from gatewatch.testing.alerts import NOON

JSON = Content(shape=Shape.JSON, content_type="application/json")
LINES = Content(shape=Shape.LINE, content_type="text/csv", preamble=b"a,b")


OPEN: list[Exporter] = []
"""Closed after each test."""


def items(count: int, **changes: Any) -> list[Delivery]:
    made = [
        Delivery(
            event_id=f"alert:a{n}:1",
            kind=ExportKind.ALERT,
            subject=f"a{n}",
            at=NOON + n,
            severity=Severity.HIGH,
            body=b'{"n":%d}' % n,
        )
        for n in range(count)
    ]
    return [msgspec.structs.replace(one, **changes) for one in made]


def exporter(kind: type[Exporter], content: Content = JSON, **settings: Any) -> Exporter:
    made = kind(msgspec.convert(settings, kind.settings), content)
    OPEN.append(made)
    return made
