"""The templates of one moment: frozen, versioned, sent to the workers."""

from __future__ import annotations

import re
from hashlib import blake2b
from typing import Any

import msgspec

from gatewatch.model.observation import NO_PATH
from gatewatch.model.path import TemplateReason
from gatewatch.observe.templates.segments import is_placeholder, split_path, typed
from gatewatch.observe.value_types import classify

__all__ = ["LearntNode", "PathMatch", "Route", "TemplateSet", "normal_host", "path_identity"]

MISSING = frozenset({400, 404, 405, 410, 414, 501})
"""Answers that do not show that a path exists."""
_HINT_FORMS = re.compile(r"<(?:[a-z]+:)?([A-Za-z_]\w*)>|:([A-Za-z_]\w*)|\{([A-Za-z_]\w*)(?::[^}]*)?\}|\*+")
_HOST = re.compile(r"[a-z0-9._-]{1,253}|\[[0-9a-f:.]{2,45}\]", re.ASCII)
_REMEMBERED = 50_000


class PathMatch(msgspec.Struct, frozen=True, gc=False):
    """What a path is."""

    path_id: int
    template: str
    reason: TemplateReason
    values: tuple[tuple[str, str, str], ...] = ()
    """(placeholder name `p0` …, value type, raw segment)."""


class LearntNode(msgspec.Struct):
    """A position of the learnt tree: children that stay literal, and the placeholder for the rest, if decided."""

    children: dict[str, LearntNode] = {}
    wildcard: str = ""
    endings: dict[str, str] = {}
    """File ending -> placeholder such as `{name}.png`."""


class Route(msgspec.Struct, frozen=True):
    """A template known from elsewhere: an OpenAPI document or a pin."""

    host: str
    """'' for every host."""
    segments: tuple[str, ...]
    reason: TemplateReason


def normal_host(host: str) -> str:
    """Lower case, without default port and trailing dot; anything that can't be a host name gives ''."""
    text = host.lower().strip()
    name, colon, port = text.rpartition(":")
    if colon and port.isdigit() and not name.endswith(":"):
        text = name if port in ("80", "443") else text
        bare, suffix = (name.rstrip("."), "" if port in ("80", "443") else ":" + port)
    else:
        bare, suffix = text.rstrip("."), ""
    return bare + suffix if _HOST.fullmatch(bare) else ""


def path_identity(method: str, host: str, template: str, operation: str = "") -> int:
    """64-bit id of a path; never `NO_PATH`."""
    text = f"{method}\0{host}\0{template}\0{operation}"
    return int.from_bytes(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big") or 1


class TemplateSet:
    """Matches paths. Picklable; caches are rebuilt in each process and bounded."""

    def __init__(
        self,
        *,
        version: int = 0,
        hosts: dict[str, LearntNode] | None = None,
        routes: tuple[Route, ...] = (),
        known: frozenset[int] = frozenset(),
    ) -> None:
        """`known`: path ids that exist, so that their 404 answers (a missing object) still belong to them."""
        self.version, self.hosts, self.routes, self.known = version, hosts or {}, routes, known
        self._prepare()

    def _prepare(self) -> None:
        self._by_size: dict[int, list[Route]] = {}
        for route in sorted(self.routes, key=lambda r: sum(is_placeholder(s) for s in r.segments)):
            self._by_size.setdefault(len(route.segments), []).append(route)
        self._paths: dict[
            tuple[str, str, str | None], tuple[str, TemplateReason, tuple[tuple[str, str, str], ...]]
        ] = {}
        self._ids: dict[tuple[str, str, str, str], int] = {}

    def __getstate__(self) -> dict[str, Any]:
        """Only what was decided travels."""
        return {"version": self.version, "hosts": self.hosts, "routes": self.routes, "known": self.known}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Rebuild the caches."""
        self.__dict__.update(state)
        self._prepare()

    @classmethod
    def empty(cls) -> TemplateSet:
        """Knows nothing: only typing works."""
        return cls()

    def match(
        self, method: str, host: str, path: str, *, operation: str = "", status: int, hint: str | None = None
    ) -> PathMatch:
        """Template and path id; `NO_PATH` when the answer says that there is no such path and nothing says otherwise.

        `host` must be normal (`normal_host`).
        """
        key = (host, path, hint)
        found = self._paths.get(key)
        if found is None:
            if len(self._paths) >= _REMEMBERED:
                self._paths.clear()
            found = self._paths[key] = self._template(host, path, hint)
        template, reason, values = found
        id_key = (method, host, template, operation)
        path_id = self._ids.get(id_key)
        if path_id is None:
            if len(self._ids) >= _REMEMBERED:
                self._ids.clear()
            path_id = self._ids[id_key] = path_identity(method, host, template, operation)
        if status in MISSING and path_id not in self.known and reason is not TemplateReason.HINT:
            return PathMatch(NO_PATH, "", reason, values)
        return PathMatch(path_id, template, reason, values)

    def _template(
        self, host: str, path: str, hint: str | None
    ) -> tuple[str, TemplateReason, tuple[tuple[str, str, str], ...]]:
        segments = split_path(path)
        if hint and (from_hint := _hint_segments(hint)) and len(from_hint) == len(segments):
            return _finished(from_hint, segments, TemplateReason.HINT)
        for route in self._by_size.get(len(segments), ()):
            if route.host in ("", host) and _fits(route.segments, segments):
                return _finished(list(route.segments), segments, route.reason)
        shaped = [typed(segment) for segment in segments]
        learnt = self.learnt(host, shaped)
        if learnt != shaped:
            return _finished(learnt, segments, TemplateReason.STATISTICS)
        reason = TemplateReason.TYPED if any(map(is_placeholder, shaped)) else TemplateReason.LITERAL
        return _finished(shaped, segments, reason)

    def learnt(self, host: str, shaped: list[str]) -> list[str]:
        """Typed segments with what was learnt applied."""
        node = self.hosts.get(host)
        result: list[str] = []
        for segment in shaped:
            chosen = segment
            if node is not None and segment not in node.children and not segment.startswith("{"):
                ending = segment.rpartition(".")[2].lower() if "." in segment else ""
                chosen = node.endings.get(ending) or node.wildcard or segment
            result.append(chosen)
            node = node.children.get(chosen) if node is not None else None
        return result


def _fits(pattern: tuple[str, ...], segments: list[str]) -> bool:
    return all(is_placeholder(wanted) or wanted == segment for wanted, segment in zip(pattern, segments, strict=True))


def _hint_segments(hint: str) -> list[str]:
    """Segments of a route in any framework's notation, placeholders as `{name}`."""

    def braces(match: re.Match[str]) -> str:
        return "{" + (match.group(1) or match.group(2) or match.group(3) or "rest") + "}"

    return [_HINT_FORMS.sub(braces, segment) for segment in split_path(hint)]


def _finished(
    template: list[str], segments: list[str], reason: TemplateReason
) -> tuple[str, TemplateReason, tuple[tuple[str, str, str], ...]]:
    values: list[tuple[str, str, str]] = []
    for pattern, segment in zip(template, segments, strict=True):
        if is_placeholder(pattern):
            values.append((f"p{len(values)}", classify(segment), segment))
    return "/" + "/".join(template), reason, tuple(values)
