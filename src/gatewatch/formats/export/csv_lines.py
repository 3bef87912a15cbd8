"""CSV with one set of columns for all kinds."""

from __future__ import annotations

import csv
import io
from typing import ClassVar

from gatewatch.formats.export.format import Context, Format, FormatMeta, Shape
from gatewatch.formats.export.summary import Summary, summarise
from gatewatch.formats.records import rfc3339
from gatewatch.model.export import ExportItem, ExportKind
from gatewatch.model.score import ScoreEntry

__all__ = ["COLUMNS", "Csv", "guarded"]

COLUMNS = (
    "event_id",
    "kind",
    "id",
    "time",
    "severity",
    "status",
    "type",
    "title",
    "text",
    "detectors",
    "tactics",
    "techniques",
    "owasp",
    "actors",
    "addresses",
    "endpoints",
    "first_seen",
    "last_seen",
    "count",
    "incident",
    "priority",
    "assigned_to",
    "classification",
    "revision",
    "remediation",
    "snapshot",
    "score",
    "max_score",
    "percentage",
    "healthy",
    "unhealthy",
)
_STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""OWASP, CSV injection."""


def guarded(text: str) -> str:
    """A cell that no spreadsheet takes for a formula, on one line. An apostrophe in front makes it text."""
    text = " ".join(text.splitlines()) if "\n" in text or "\r" in text else text
    risky = text.startswith(_STARTS_A_FORMULA) or text.lstrip().startswith(_STARTS_A_FORMULA)
    return f"'{text}" if risky else text


class Csv(Format):
    """RFC 4180, comma, quotes where needed, UTF-8."""

    meta: ClassVar[FormatMeta] = FormatMeta(
        id="csv",
        title="CSV",
        description=(
            "One row per event, one line per row; a file begins with the names of the columns. Lists are joined with "
            "`; `. A cell that begins like a formula gets an apostrophe in front."
        ),
        kinds=tuple(ExportKind),
        shape=Shape.LINE,
        content_type="text/csv; charset=utf-8; header=absent",
        references=("RFC 4180", "https://owasp.org/www-community/attacks/CSV_Injection"),
    )
    preamble: ClassVar[bytes] = ",".join(COLUMNS).encode()

    def render(self, item: ExportItem, context: Context) -> bytes:
        """One row without its line end."""
        out = io.StringIO()
        cells = _cells(item, summarise(item, context))
        csv.writer(out, lineterminator="").writerow([guarded(cell) for cell in cells])
        return out.getvalue().encode()


def _cells(item: ExportItem, facts: Summary) -> tuple[str, ...]:
    return (
        item.event_id,
        item.kind.value,
        item.subject,
        rfc3339(item.at),
        item.severity.value,
        item.status,
        facts.type,
        facts.title,
        facts.text,
        "; ".join(facts.detectors),
        "; ".join(facts.tactics),
        "; ".join(facts.techniques),
        facts.owasp,
        "; ".join(facts.actors),
        "; ".join(facts.addresses),
        "; ".join(facts.endpoints),
        rfc3339(facts.first_seen) if facts.first_seen else "",
        rfc3339(facts.last_seen) if facts.last_seen else "",
        str(facts.count) if facts.count else "",
        str(facts.incident) if facts.incident else "",
        str(facts.priority) if facts.priority else "",
        facts.assigned_to,
        facts.classification,
        str(facts.revision) if facts.revision else "",
        facts.remediation,
        item.snapshot,
        *_points(facts.score),
    )


def _points(score: ScoreEntry | None) -> tuple[str, ...]:
    if score is None:
        return ("",) * 5
    share = f"{score.percentage:.2f}" if score.percentage is not None else ""
    return f"{score.current:.2f}", f"{score.max:.2f}", share, str(score.healthy), str(score.unhealthy)
