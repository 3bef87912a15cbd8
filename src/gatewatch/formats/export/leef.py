"""IBM QRadar's Log Event Extended Format 2.0."""

from __future__ import annotations

import re
from typing import ClassVar

from gatewatch.formats.export.format import Context, Format, FormatMeta, Shape
from gatewatch.formats.export.summary import Summary, summarise
from gatewatch.formats.records import rfc3339
from gatewatch.model.alert import Severity
from gatewatch.model.export import ExportItem, ExportKind
from gatewatch.model.score import ScoreEntry

__all__ = ["Leef", "attribute_value", "header_field"]

_SEVERITY = {Severity.INFORMATIONAL: 2, Severity.LOW: 4, Severity.MEDIUM: 6, Severity.HIGH: 9}
"""QRadar: 1 to 10."""
_LINE_ENDS = re.compile(r"[\r\n]+")


def header_field(text: str) -> str:
    """A header's fields can't hold a pipe and LEEF has no escape: it becomes a slash; tabs and line ends a space."""
    return _LINE_ENDS.sub(" ", text).replace("\t", " ").replace("|", "/")


def attribute_value(text: str) -> str:
    """The delimiter is a tab, so values hold none; line ends would end the event. Both become a space."""
    return _LINE_ENDS.sub(" ", text).replace("\t", " ")


class Leef(Format):
    """`LEEF:2.0|Gatewatch|Gatewatch|version|type|x09|` and attributes between tabs."""

    meta: ClassVar[FormatMeta] = FormatMeta(
        id="leef",
        title="Log Event Extended Format 2.0 (QRadar)",
        description=(
            "Attributes are separated by tabs. LEEF has no escapes: a pipe in a header becomes `/`, a tab or line end "
            "in a value a space. `externalId` is the event id."
        ),
        kinds=tuple(ExportKind),
        shape=Shape.LINE,
        content_type="text/plain; charset=utf-8",
        references=("IBM QRadar, LEEF event components", "IBM QRadar, predefined LEEF event attributes"),
    )

    def render(self, item: ExportItem, context: Context) -> bytes:
        """One line."""
        facts = summarise(item, context)
        head = ["LEEF:2.0", "Gatewatch", "Gatewatch", header_field(context.version), header_field(facts.type), "x09"]
        pairs = _attributes(item, facts, context)
        body = "\t".join(f"{key}={attribute_value(value)}" for key, value in pairs.items() if value)
        return ("|".join(head) + "|" + body).encode()


def _attributes(item: ExportItem, facts: Summary, context: Context) -> dict[str, str]:
    return {
        "devTime": rfc3339(item.at),
        "devTimeFormat": "yyyy-MM-dd'T'HH:mm:ss.SSSX",
        "cat": item.kind.value,
        "sev": str(_SEVERITY[item.severity]),
        "src": facts.addresses[0] if facts.addresses else "",
        "usrName": facts.users[0] if facts.users else "",
        "identHostName": context.host,
        "resource": facts.endpoints[0] if facts.endpoints else "",
        "policy": ",".join(facts.detectors),
        "externalId": item.event_id,
        "title": facts.title,
        "msg": facts.text,
        "status": item.status,
        "eventCount": str(facts.count) if facts.count else "",
        "firstSeen": rfc3339(facts.first_seen) if facts.first_seen else "",
        "lastSeen": rfc3339(facts.last_seen) if facts.last_seen else "",
        "incident": str(facts.incident) if facts.incident else "",
        "priority": str(facts.priority) if facts.priority else "",
        "tactics": ",".join(facts.tactics),
        "techniques": ",".join(facts.techniques),
        "owasp": facts.owasp,
        "sources": ",".join(facts.addresses),
        "actors": ",".join(facts.actors),
        "endpoints": ", ".join(facts.endpoints),
        "revision": str(facts.revision) if facts.revision else "",
        "snapshot": item.snapshot,
        **(_points(facts.score) if facts.score is not None else {}),
    }


def _points(score: ScoreEntry) -> dict[str, str]:
    return {
        "score": f"{score.current:.2f}",
        "maxScore": f"{score.max:.2f}",
        "percentage": f"{score.percentage or 0.0:.2f}",
        "healthy": str(score.healthy),
        "unhealthy": str(score.unhealthy),
    }
