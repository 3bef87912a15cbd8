"""Routes as gateways and frameworks write them, read as templates."""

from __future__ import annotations

import re

from gatewatch.observe.templates.segments import is_placeholder, shape_path

__all__ = ["apply_hint", "read_route"]

# {id}  {id:[0-9]+}  {id?}  :id  :id(\d+)  <id>  <int:id>  (?P<id>\d+)  [id] (Next.js)
_PLACEHOLDER = re.compile(
    r"\(\?P?<(?P<group>[A-Za-z_]\w*)>(?:[^()]|\([^()]*\))*\)"
    r"|<(?:[A-Za-z_]\w*(?:\([^)]*\))?:)?(?P<angle>[A-Za-z_]\w*)>"
    r"|\{(?P<brace>[A-Za-z_][\w.-]*)\??(?::(?:[^{}]|\{[^{}]*\})*)?\}"
    r"|:(?P<colon>[A-Za-z_]\w*)(?:\([^)]*\))?\??"
    r"|\[(?P<square>[A-Za-z_]\w*)\]"
)
# {path...}  {proxy+}  {path:path}  <path:rest>  :path*  *path  [...slug]: the rest of the path as one value
_REST = re.compile(
    r"\{\*{0,2}(?P<brace>[A-Za-z_]\w*)(?:\.\.\.|\+|\*|:path|:\.[*+])\}|<path:(?P<angle>[A-Za-z_]\w*)>"
    r"|:(?P<colon>[A-Za-z_]\w*)[*+]|\*{1,2}(?P<star>[A-Za-z_]\w*)|\[\.\.\.(?P<square>[A-Za-z_]\w*)\]|\{\*{1,2}(?P<deep>[A-Za-z_]\w*)\}"
)
_NAMELESS_REST = re.compile(r"\*{1,2}|\.\*|\(\.\*\)|\.\+")
_PROXIES = frozenset({"proxy", "any", "all", "catchall", "splat", "rest", "wildcard"})
_REGULAR = re.compile(r"[\\()|^$+?\[\]]")
_MAX_HINT = 1_024
_REMEMBERED = 8_192
_known: dict[str, tuple[tuple[str, ...], bool] | None] = {}


def read_route(hint: str) -> tuple[tuple[str, ...], bool] | None:
    """Segments with placeholders as `{name}`, and whether the last one takes the rest of the path.

    None when the hint is no template: a route's name, a bare catch-all, a regular expression beyond named groups. Those
    say nothing about where identifiers are.
    """
    if hint in _known:
        return _known[hint]
    if len(_known) >= _REMEMBERED:
        _known.clear()
    found = _known[hint] = _read(hint)
    return found


def _read(hint: str) -> tuple[tuple[str, ...], bool] | None:
    text = hint.strip()
    first, _, after = text.partition(" ")
    if after.startswith("/") and first.isalpha():
        text = after  # `GET /users/{id}`, as AWS and Go 1.22 write it
    text = text.removeprefix("^").removesuffix("$").removesuffix("/?")
    if not text or len(text) > _MAX_HINT or ("/" not in text and not text.startswith("(?P<")):
        return None
    segments: list[str] = []
    parts = [part for part in _outside_brackets(text) if part]
    for index, part in enumerate(parts):
        rest = _REST.fullmatch(part)
        if rest or _NAMELESS_REST.fullmatch(part):
            name = next((group for group in rest.groups() if group), "") if rest else ""
            last = index == len(parts) - 1
            if not name or name.lower() in _PROXIES or not last:
                return None
            return (*segments, f"{{{name}}}"), True
        segment = _PLACEHOLDER.sub(_braces, part)
        if _REGULAR.search(segment.replace("\\.", "")) or "*" in segment:
            return None
        segments.append(segment.replace("\\", ""))
    return tuple(segments), False


def _outside_brackets(text: str) -> list[str]:
    """Split at `/`, but not inside `(…)`, `{…}`, `<…>` or `[…]`, where it belongs to a pattern."""
    parts, depth = [""], 0
    for char in text:
        if char in "({[<":
            depth += 1
        elif char in ")}]>":
            depth -= 1
        if char == "/" and depth <= 0:
            parts.append("")
        else:
            parts[-1] += char
    return parts


def _braces(match: re.Match[str]) -> str:
    return "{" + next(group for group in match.groups() if group) + "}"


def apply_hint(hint: str, segments: list[str]) -> list[str] | None:
    """Template segments for a path under a gateway's route; None when the route does not speak of this path.

    A route that fits only the end of the path (the gateway strips a prefix before it routes) keeps the typed prefix.
    With a route that takes the rest of the path, the template is shorter than the path.
    """
    read = read_route(hint)
    if read is None:
        return None
    route, rest = read
    if rest:
        fits = len(segments) >= len(route) and _fits(route[:-1], segments[: len(route) - 1])
        return list(route) if fits else None
    stripped = len(segments) - len(route)
    if stripped < 0 or not route or not _fits(route, segments[stripped:]):
        return [] if not route and not segments else None
    return shape_path(segments[:stripped]) + list(route)


def _fits(route: tuple[str, ...], segments: list[str]) -> bool:
    return all(wanted == have or is_placeholder(wanted) for wanted, have in zip(route, segments, strict=True))
