"""Small charts as SVG text; colours come from the page's style sheet so that dark mode works."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from markupsafe import Markup

from gatewatch.formats.records import rfc3339

__all__ = ["bars", "timeline"]

_WIDTH, _HEIGHT = 960.0, 220.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 56.0, 12.0, 22.0, 28.0
_CLASSES = ("2xx", "3xx", "4xx", "5xx", "1xx", "none")
_GRID_LINES = 4
_LABELS = 6
_DAY_S = 86_400
_MAX_MARKS = 400


def _nice_ceiling(value: float) -> float:
    """The next 1, 2 or 5 times a power of ten."""
    step = 1.0
    while step < value:
        for factor in (2.0, 2.5, 2.0):
            if step >= value:
                break
            step *= factor
    return step


def _short(value: float) -> str:
    if value >= 1_000_000:
        return f"{value / 1_000_000:g}M"
    return f"{value / 1000:g}k" if value >= 1000 else f"{value:g}"


def timeline(
    buckets: Sequence[tuple[float, Mapping[str, int]]], *, bucket_s: int, marks: Sequence[tuple[float, str, str]]
) -> Markup:
    """Stacked columns of calls by status class; alerts as marks above them at the moment they were raised."""
    if not buckets:
        return Markup('<p class="quiet">No traffic.</p>')
    start, end = buckets[0][0], buckets[-1][0] + bucket_s
    top = _nice_ceiling(max(sum(calls.values()) for _, calls in buckets))
    plot_w, plot_h = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM

    def x(ts: float) -> float:
        return _LEFT + plot_w * (ts - start) / (end - start)

    parts = _grid(top, plot_h)
    width = max(0.6, plot_w * bucket_s / (end - start) - 0.4)
    for ts, calls in buckets:
        y = _TOP + plot_h
        for name in _CLASSES:
            height = plot_h * calls.get(name, 0) / top
            if height > 0:
                y -= height
                parts.append(
                    f'<rect class="s{name}" x="{x(ts):.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"/>'
                )
        parts.append(_column_hint(ts, calls, x(ts), width, plot_h))
    for ts, severity, title in sorted(marks)[:_MAX_MARKS]:
        at = min(max(x(ts), _LEFT), _WIDTH - _RIGHT)
        parts.append(
            f'<path class="mark {severity}" d="M{at:.1f} {_TOP - 4:.1f} l-4 -8 h8 z">'
            f"<title>{escape(rfc3339(ts)[:19])} {escape(title)}</title></path>"
        )
    for index in range(_LABELS):
        ts = start + (end - start) * index / (_LABELS - 1)
        text = rfc3339(ts)[5:16].replace("T", " ") if end - start <= 14 * _DAY_S else rfc3339(ts)[:10]
        anchor = "start" if index == 0 else "end" if index == _LABELS - 1 else "middle"
        parts.append(f'<text x="{x(ts):.1f}" y="{_HEIGHT - 8:.1f}" text-anchor="{anchor}">{text}</text>')
    return Markup(  # noqa: S704 - every value above is a number or escaped
        f'<svg class="chart" viewBox="0 0 {_WIDTH:g} {_HEIGHT:g}" role="img" aria-label="Calls over time">'
        f"{''.join(parts)}</svg>"
    )


def _grid(top: float, plot_h: float) -> list[str]:
    parts = []
    for index in range(_GRID_LINES + 1):
        y = _TOP + plot_h * (1 - index / _GRID_LINES)
        parts.append(f'<line class="grid" x1="{_LEFT:g}" x2="{_WIDTH - _RIGHT:g}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(
            f'<text x="{_LEFT - 6:g}" y="{y + 4:.1f}" text-anchor="end">{_short(top * index / _GRID_LINES)}</text>'
        )
    return parts


def _column_hint(ts: float, calls: Mapping[str, int], x: float, width: float, plot_h: float) -> str:
    text = ", ".join(f"{name} {calls[name]}" for name in _CLASSES if calls.get(name))
    return (
        f'<rect class="hit" x="{x:.1f}" y="{_TOP:g}" width="{width:.1f}" height="{plot_h:.1f}">'
        f"<title>{rfc3339(ts)[:16].replace('T', ' ')} UTC: {escape(text) or 'no calls'}</title></rect>"
    )


def bars(rows: Sequence[tuple[str, int]], *, kind: str) -> Markup:
    """Horizontal bars with their label and number."""
    if not any(count for _, count in rows):
        return Markup('<p class="quiet">None.</p>')
    line, label_w, width = 24.0, 270.0, 560.0
    most = max(count for _, count in rows)
    parts = []
    for index, (label, count) in enumerate(rows):
        y = index * line
        length = (width - label_w - 60) * count / most
        css = f"bar {label}" if kind == "severity" else "bar"
        shown = label if len(label) <= 44 else label[:43] + "…"
        parts.append(
            f'<text x="{label_w - 8:g}" y="{y + 16:g}" text-anchor="end">{escape(shown)}'
            f"<title>{escape(label)}</title></text>"
            f'<rect class="{escape(css)}" x="{label_w:g}" y="{y + 4:g}" width="{length:.1f}"'
            f' height="{line - 8:g}" rx="2"/>'
            f'<text x="{label_w + length + 6:.1f}" y="{y + 16:g}">{count}</text>'
        )
    return Markup(  # noqa: S704 - every value above is a number or escaped
        f'<svg class="chart small" viewBox="0 0 {width:g} {line * len(rows):g}" role="img">{"".join(parts)}</svg>'
    )
