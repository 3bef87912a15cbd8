"""The attack story and the response as a drawing."""

from __future__ import annotations

from collections.abc import Sequence

from gatewatch.formats.review.blocks import Mark, Picture, clean
from gatewatch.formats.review.moments import Moments
from gatewatch.knowledge.durations import lasting
from gatewatch.model.dossier import AttackStory, Chapter, Step
from gatewatch.model.review import Moment

__all__ = ["COLOURS", "picture"]

COLOURS = {
    "ink": "#1c2430",
    "soft": "#5b6675",
    "line": "#d5dae2",
    "band": "#f3f5f8",
    "accent": "#2563a8",
    "high": "#c0322b",
    "medium": "#d9822b",
    "low": "#c9a227",
    "informational": "#6b87a8",
}
_WIDTH, _LEFT, _RIGHT = 960.0, 350.0, 16.0
_ROW, _TOP, _RESPONSE = 31.0, 34.0, 118.0
_MOST_ROWS, _MOST_TITLE = 14, 48
_TICKS = 5
_LEAST_BAR = 4.0
_DAY_S = 86_400


def picture(story: AttackStory, timeline: Sequence[Moment], moments: Moments) -> Picture:
    """Above a row per kind of alert over event time, below the milestones of the response at equal distances."""
    rows = _rows(story)
    steps = [step for _, group in rows for step in group]
    start = min((step.at for step in steps), default=0.0)
    end = max((step.until for step in steps), default=1.0)
    span = max(end - start, 1.0)
    plot = _WIDTH - _LEFT - _RIGHT
    height = _TOP + _ROW * len(rows) + 30

    def x(ts: float) -> float:
        return _LEFT + plot * (ts - start) / span

    marks = [_text(0, 16, "The attack, in event time", bold=True, size=14)]
    marks += _axis(start, span, _TOP + _ROW * len(rows), x, moments)
    for index, (chapter, group) in enumerate(rows):
        y = _TOP + _ROW * index
        marks += _row(y, index, chapter, group)
        for step in group:
            width = min(max(_LEAST_BAR, x(step.until) - x(step.at)), _WIDTH - _RIGHT - x(step.at) + _LEAST_BAR)
            marks.append(Mark(shape="rect", place=(x(step.at), y + 6, width, _ROW - 12), colour=step.severity.value))
    marks += _response(height, timeline, moments)
    return Picture(
        width=_WIDTH,
        height=height + _RESPONSE,
        marks=tuple(marks),
        title="The attack and the response over time",
        lines=tuple(_lines(rows, timeline, moments)),
    )


def _rows(story: AttackStory) -> list[tuple[Chapter, list[Step]]]:
    """Steps of one kind together, in order of their first; at most 14 kinds."""
    found: dict[tuple[str, str], tuple[Chapter, list[Step]]] = {}
    for chapter in story.chapters:
        for step in chapter.steps:
            found.setdefault((chapter.tactic.value, step.title), (chapter, []))[1].append(step)
    return list(found.values())[:_MOST_ROWS]


def _row(y: float, index: int, chapter: Chapter, group: Sequence[Step]) -> list[Mark]:
    title = clean(group[0].title)
    shown = title if len(title) <= _MOST_TITLE else title[: _MOST_TITLE - 1] + "…"
    counted = f"{chapter.title} · {len(group)} alert{'' if len(group) == 1 else 's'}"
    band = [Mark(shape="rect", place=(0, y, _WIDTH, _ROW), colour="band")] if index % 2 == 0 else []
    return [
        *band,
        _text(_LEFT - 10, y + 13, shown, size=11.5, anchor="end"),
        _text(_LEFT - 10, y + 26, counted, size=9.5, anchor="end", colour="soft"),
    ]


def _axis(start: float, span: float, bottom: float, x: object, moments: Moments) -> list[Mark]:
    assert callable(x)
    marks = []
    for index in range(_TICKS):
        ts = start + span * index / (_TICKS - 1)
        anchor = "start" if index == 0 else "end" if index == _TICKS - 1 else "middle"
        marks.append(Mark(shape="line", place=(x(ts), _TOP, x(ts), bottom), colour="line"))
        label = moments.tick(ts, dated=span > _DAY_S / 2)
        marks.append(
            _text(x(ts), bottom + 14, label + (" UTC" if index == 0 else ""), size=10, anchor=anchor, colour="soft")
        )
    return marks


def _response(top: float, timeline: Sequence[Moment], moments: Moments) -> list[Mark]:
    """Dots at equal distances: seconds and days would not fit on one scale; the time between is written."""
    marks = [_text(0, top + 16, "From the first call to the end, not to scale", bold=True, size=14)]
    count = max(2, len(timeline))
    places = [60 + (_WIDTH - 120) * index / (count - 1) for index in range(count)]
    y = top + 58
    for before, after in zip(range(len(timeline)), range(1, len(timeline)), strict=False):
        marks.append(Mark(shape="line", place=(places[before], y, places[after], y), colour="line"))
    last: tuple[float, float] | None = None
    for place, moment in zip(places, timeline, strict=False):
        name = moment.milestone.value.replace("_", " ").capitalize()
        known = moment.at is not None
        marks.append(Mark(shape="dot", place=(place, y, 7, 0), colour="accent" if known else "soft", hollow=not known))
        marks.append(_text(place, y + 26, name, size=11.5, anchor="middle", bold=known))
        when = moments.full(moment.at)[:19] if known else "not recorded"
        marks.append(_text(place, y + 40, when, size=9.5, anchor="middle", colour="soft"))
        if moment.at is not None:
            if last is not None and moment.at >= last[1]:
                between = f"+ {lasting(moment.at - last[1])}"
                marks.append(_text((last[0] + place) / 2, y - 10, between, size=10, anchor="middle", colour="soft"))
            last = (place, moment.at)
    return marks


def _lines(rows: Sequence[tuple[Chapter, list[Step]]], timeline: Sequence[Moment], moments: Moments) -> list[str]:
    told = [
        f"{chapter.title}: {clean(group[0].title)}, {len(group)} alert{'' if len(group) == 1 else 's'} from "
        f"{moments.full(min(step.at for step in group))} to {moments.full(max(step.until for step in group))}"
        for chapter, group in rows
    ]
    return told + [
        f"{moment.milestone.value.replace('_', ' ').capitalize()}: {moments.full(moment.at, moment.text)}"
        for moment in timeline
    ]


def _text(
    x: float, y: float, text: str, *, size: float, anchor: str = "start", bold: bool = False, colour: str = "ink"
) -> Mark:
    return Mark(shape="text", place=(x, y, size, 0), colour=colour, text=text, anchor=anchor, bold=bold)
