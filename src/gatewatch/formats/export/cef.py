"""ArcSight Common Event Format, version 0."""

from __future__ import annotations

from typing import ClassVar

from gatewatch.formats.export.format import Context, Format, FormatMeta, Shape
from gatewatch.formats.export.summary import Summary, split_endpoint, summarise
from gatewatch.model.alert import Severity
from gatewatch.model.export import ExportItem, ExportKind
from gatewatch.model.score import ScoreEntry

__all__ = ["Cef", "extension_value", "header_field"]

_SEVERITY = {Severity.INFORMATIONAL: 2, Severity.LOW: 4, Severity.MEDIUM: 6, Severity.HIGH: 9}
"""CEF: 0 to 3 low, 4 to 6 medium, 7 and 8 high, 9 and 10 very high."""
_MAX_NAME, _MAX_TEXT, _MAX_STRING = 512, 1023, 4000
"""Lengths of `name`, `msg` and custom strings in the extension dictionary."""


def header_field(text: str) -> str:
    """Backslash and pipe are escaped; a header has one line."""
    return _one_line(text).replace("\\", "\\\\").replace("|", "\\|")


def extension_value(text: str) -> str:
    """Backslash and equals sign are escaped, a pipe is not; a line end becomes a backslash and an n."""
    text = text.replace("\\", "\\\\").replace("=", "\\=")
    return text.replace("\r\n", "\\n").replace("\n", "\\n").replace("\r", "\\n")


def _one_line(text: str) -> str:
    return " ".join(text.splitlines())


class Cef(Format):
    """`CEF:0|Gatewatch|Gatewatch|version|type|title|severity|extension`."""

    meta: ClassVar[FormatMeta] = FormatMeta(
        id="cef",
        title="Common Event Format",
        description=(
            "`externalId` is the event id, the signature id is the alert type. Custom strings carry detector (cs1), "
            "status (cs2), incident (cs3), ATT&CK techniques (cs4), endpoints (cs5) and the snapshot's week (cs6); of "
            "scores, custom floats carry points (cfp1), the most there are (cfp2) and percent (cfp3)."
        ),
        kinds=tuple(ExportKind),
        shape=Shape.LINE,
        content_type="text/plain; charset=utf-8",
        references=("ArcSight Common Event Format, implementing CEF, version 25", "reference/microsoft.md 12.3"),
    )

    def render(self, item: ExportItem, context: Context) -> bytes:
        """One line."""
        facts = summarise(item, context)
        head = [facts.type, facts.title[:_MAX_NAME], str(_SEVERITY[item.severity])]
        fields = ["CEF:0", "Gatewatch", "Gatewatch", header_field(context.version), *map(header_field, head)]
        pairs = {**_standard(item, facts, context), **_custom(item, facts)}
        extension = " ".join(f"{key}={extension_value(value)}" for key, value in pairs.items() if value)
        return "|".join([*fields, extension]).encode()


def _standard(item: ExportItem, facts: Summary, context: Context) -> dict[str, str]:
    method, host, path = split_endpoint(facts)
    found = {
        "externalId": item.event_id,
        "rt": str(round(item.at * 1000)),
        "start": str(round(facts.first_seen * 1000)) if facts.first_seen else "",
        "end": str(round(facts.last_seen * 1000)) if facts.last_seen else "",
        "cnt": str(facts.count) if facts.count else "",
        "cat": item.kind.value,
        "msg": facts.text[:_MAX_TEXT],
        "dvchost": context.host,
        "suser": facts.users[0] if facts.users else "",
        "requestMethod": method,
        "dhost": host,
        "request": path,
    }
    for address in facts.addresses[:1]:
        v6 = {"c6a2": address, "c6a2Label": "Source IPv6 Address"}
        found |= v6 if ":" in address else {"src": address}
    return found


def _custom(item: ExportItem, facts: Summary) -> dict[str, str]:
    strings = {
        "detector": ",".join(facts.detectors),
        "status": item.status,
        "incident": str(facts.incident) if facts.incident else "",
        "attackTechniques": ",".join(facts.techniques),
        "endpoints": ", ".join(facts.endpoints),
        "snapshot": item.snapshot,
    }
    found: dict[str, str] = {}
    for number, (label, value) in enumerate(strings.items(), start=1):
        if value:
            found |= {f"cs{number}Label": label, f"cs{number}": value[:_MAX_STRING]}
    if facts.revision:
        found |= {"cn1Label": "revision", "cn1": str(facts.revision)}
    if facts.priority:
        found |= {"cn2Label": "priority", "cn2": str(facts.priority)}
    return found | (_points(facts.score) if facts.score is not None else {})


def _points(score: ScoreEntry) -> dict[str, str]:
    floats = {"score": score.current, "maxScore": score.max, "percentage": score.percentage or 0.0}
    found: dict[str, str] = {}
    for number, (label, value) in enumerate(floats.items(), start=1):
        found |= {f"cfp{number}Label": label, f"cfp{number}": f"{value:.2f}"}
    return found | {
        "cn2Label": "healthy",
        "cn2": str(score.healthy),
        "cn3Label": "unhealthy",
        "cn3": str(score.unhealthy),
    }
