"""Reference pages from the code that they describe; `--check` only compares."""

from __future__ import annotations

import ast
import json
import sys
from collections.abc import Callable, Sequence
from enum import StrEnum
from inspect import getdoc, getsource
from itertools import pairwise
from pathlib import Path
from textwrap import dedent
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import msgspec
import typer
from fastapi import FastAPI

from gatewatch.api.app import ROUTERS
from gatewatch.bootstrap.exporting import exporters
from gatewatch.bootstrap.workers import formats
from gatewatch.cli.app import EXIT_CODES, app
from gatewatch.config.settings import Settings, TargetSettings
from gatewatch.detect.detector import all_detectors
from gatewatch.detect.settings import fields
from gatewatch.formats.export import all_formats
from gatewatch.observe.pattern import Indicator, Recognizer, ResponseSignal
from gatewatch.plugins import discover
from gatewatch.posture.controls import CONTROLS
from gatewatch.posture.recommendation import all_recommendations
from gatewatch.sources.ndjson import Line

__all__ = ["PAGES", "main"]

_REFERENCE = Path(__file__).parents[1] / "docs" / "reference"
_MADE = "<!-- made by `make docs`; change the code instead -->\n"


def _cell(text: object) -> str:
    return str(text).replace("|", "\\|").replace("\n", " ")


def _table(head: list[str], rows: Sequence[Sequence[object]]) -> str:
    lines: list[Sequence[object]] = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(_cell(cell) for cell in row) + " |" for row in lines) + "\n"


def detectors() -> str:
    parts = [_MADE, "# Detectors\n"]
    for detector in sorted(all_detectors(), key=lambda d: d.meta.id):
        meta = detector.meta
        needs = ", ".join(bit.name.lower() for bit in meta.needs if bit.name)
        values = msgspec.structs.asdict(detector.values)
        rows: list[list[object]] = []
        for field in fields(detector.settings):
            record = msgspec.structs.asdict(field)
            about = " ".join(
                f"{name}: {value}." for name, value in record.items() if name != "name" and value not in (None, "")
            )
            rows.append([f"`{field.name}`", values.get(field.name), about])
        parts.append(
            f"## {meta.title}\n\n`{meta.id}` · {meta.alert_type} · {meta.severity.value} · {meta.tactic.value} · {meta.owasp.value}\n"
        )
        parts.append(f"{meta.description}\n\nNeeds: {needs}. Misses: {meta.known_misses}\n")
        parts.append("Steps: " + " ".join(meta.remediation) + "\n")
        parts.append("References: " + ", ".join(meta.references) + "\n")
        parts.append(_table(["Setting", "Default", "About"], rows))
    parts.append("# Recommendations\n")
    recommendations = [
        [f"`{r.meta.id}`", r.meta.title, r.meta.severity.value, CONTROLS[r.meta.control].title, r.meta.description]
        for r in all_recommendations()
    ]
    parts.append(_table(["Id", "Title", "Severity", "Control", "Description"], recommendations))
    return "\n".join(parts)


def _settings_rows(kind: Any, prefix: str, rows: list[list[object]]) -> None:
    for field in msgspec.structs.fields(kind):
        inner = field.type if isinstance(field.type, type) and issubclass(field.type, msgspec.Struct) else None
        if inner is not None:
            _settings_rows(inner, f"{prefix}{field.name}.", rows)
        else:
            rows.append([f"`{prefix}{field.name}`", _type(field.type), _default(field)])


def _default(field: Any) -> str:
    if field.default is msgspec.NODEFAULT:
        return "required" if field.default_factory is msgspec.NODEFAULT else f"`{field.default_factory()!r}`"
    value = field.default
    if isinstance(value, tuple):
        value = tuple(map(str, value))
    plain = str(value) if isinstance(value, StrEnum) else value
    return f"`{plain!r}`"


def _type(kind: Any) -> str:
    if get_origin(kind) is Annotated:
        inner, *limits = get_args(kind)
        if titles := [limit.title for limit in limits if getattr(limit, "title", None)]:
            return str(titles[0])
        return " ".join([_type(inner), *(_limits(limit) for limit in limits)]).strip()
    if get_origin(kind) is Literal:
        return ", ".join(f"`{value}`" for value in get_args(kind))
    if get_origin(kind) in (Union, UnionType):
        return " or ".join(_type(one) for one in get_args(kind) if one is not type(None))
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return ", ".join(f"`{value}`" for value in kind)
    inner = [_type(one) for one in get_args(kind) if one is not ...]
    return getattr(kind, "__name__", str(kind)) + (f" of {', '.join(inner)}" if inner else "")


def _limits(meta: Any) -> str:
    known = {"gt": "> {}", "ge": "≥ {}", "lt": "< {}", "le": "≤ {}", "pattern": "`{}`", "min_length": "not empty"}
    found = [form.format(value) for name, form in known.items() if (value := getattr(meta, name, None)) is not None]
    return " and ".join(found)


def _abouts(kind: Any) -> dict[str, str]:
    """What stands under each member of a struct and of those that it is made of."""
    found: dict[str, str] = {}
    for part in reversed(kind.__mro__):
        if part.__module__.startswith("gatewatch"):
            (tree,) = ast.parse(dedent(getsource(part))).body
            assert isinstance(tree, ast.ClassDef)
            for member, about in pairwise(tree.body):
                if isinstance(member, ast.AnnAssign) and isinstance(member.target, ast.Name):
                    told = about.value if isinstance(about, ast.Expr) else None
                    text = told.value if isinstance(told, ast.Constant) else ""
                    found[member.target.id] = " ".join(str(text).split())
    return found


def _members(kind: Any) -> str:
    rows: list[list[object]] = []
    _settings_rows(kind, "", rows)
    abouts = _abouts(kind)
    return _table(
        ["Setting", "Type", "Default", "About"], [[*row, abouts.get(str(row[0]).strip("`"), "")] for row in rows]
    )


def settings() -> str:
    rows: list[list[object]] = []
    _settings_rows(Settings, "", rows)
    intro = (
        "# Settings\n\nA TOML file (`--config`), then environment variables (`GATEWATCH_API__PORT=9000` sets `api.port`), then\n"
        "command line options.\n"
    )
    return "\n".join([_MADE, intro, _table(["Setting", "Type", "Default"], rows)])


def formats_page() -> str:
    parts = [_MADE, "# Formats\n"]
    for format_ in sorted(formats().values(), key=lambda f: f.meta.id):
        evidence = ", ".join(bit.name.lower() for bit in format_.meta.evidence if bit.name)
        parts.append(
            f"## `{format_.meta.id}`: {format_.meta.title}\n\n{format_.meta.description}\n\nCan carry: {evidence}.\n"
        )
        parts.append("\n".join(f"- {reference}" for reference in format_.meta.references) + "\n")
    return "\n".join(parts)


def exporters_page() -> str:
    parts = [
        _MADE,
        "# Exporters\n",
        "A target of export is a transport and a format: [how to](../how-to/export-to-a-siem.md).\n",
    ]
    parts.append("## A target: `[[export.targets]]`\n")
    parts.append(_members(TargetSettings))
    parts.append("## Transports\n")
    for kind in sorted(exporters().values(), key=lambda kind: kind.meta.id):
        meta = kind.meta
        shapes = " and ".join(shape.value for shape in meta.shapes)
        parts.append(f"### `{meta.id}`: {meta.title}\n\n{meta.description}\n")
        parts.append(
            f"Takes {shapes} formats, at most {meta.max_items} items or {meta.max_bytes} octets at once. "
            f"An item counts as taken with: {meta.confirmation}\n"
        )
        parts.append(_members(kind.settings))
        parts.append("\n".join(f"- {reference}" for reference in meta.references) + "\n" if meta.references else "")
    parts.append("## Formats\n")
    for format_ in sorted(all_formats().values(), key=lambda f: f.meta.id):
        about = format_.meta
        says = ", ".join(one.value for one in about.kinds)
        parts.append(f"### `{about.id}`: {about.title}\n\n{about.description}\n")
        parts.append(f"Shape {about.shape.value}, `{about.content_type}`. Can say: {says}.\n")
        parts.append("\n".join(f"- {reference}" for reference in about.references) + "\n")
    return "\n".join(part for part in parts if part)


def patterns() -> str:
    parts = [_MADE, "# Information types, indicators, response signals\n"]
    chosen: tuple[tuple[str, str, type[Any]], ...] = (
        ("Information types", "gatewatch.observe.recognizers", Recognizer),
        ("Indicators", "gatewatch.observe.indicators", Indicator),
        ("Response signals", "gatewatch.observe.response_signals", ResponseSignal),
    )
    for title, package, kind in chosen:
        found = sorted(discover(package, kind), key=lambda part: part.meta.id)
        rows: list[list[object]] = [
            [
                f"`{p.meta.id}`",
                p.meta.title,
                (getdoc(p) or "").splitlines()[0],
                ", ".join(p.meta.references),
                p.meta.known_misses or "-",
            ]
            for p in found
        ]
        parts.append(f"## {title}\n")
        parts.append(_table(["Id", "Title", "How", "References", "Misses"], rows))
    return "\n".join(parts)


def openapi() -> str:
    api = FastAPI(title="Gatewatch", version="1", summary="API security for any gateway.")
    for router in ROUTERS:
        api.include_router(router)
    return json.dumps(api.openapi(), indent=1, sort_keys=True) + "\n"


def ndjson_schema() -> str:
    schema = msgspec.json.schema(Line)
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "Gatewatch NDJSON v1: one transaction a line"
    return json.dumps(schema, indent=1) + "\n"


def command_line() -> str:
    parts = [_MADE, "# Command line\n"]
    root = typer.main.get_command(app)
    _command(root, "gatewatch", parts)
    parts.append("## Exit codes\n")
    parts.append(_table(["Code", "Meaning"], [[code, meaning] for code, meaning in EXIT_CODES.items()]))
    return "\n".join(parts)


def _command(command: Any, name: str, parts: list[str]) -> None:
    inner = getattr(command, "commands", {})
    if not inner or getattr(command, "invoke_without_command", False):
        rows = [
            ["`" + " ".join(p.opts) + "`", getattr(p, "help", None) or ""] for p in command.params if p.name != "help"
        ]
        parts.append(f"## `{name}`\n\n{(command.help or '').strip()}\n")
        parts.append(_table(["Option", "About"], rows))
    for child in sorted(inner):
        _command(inner[child], f"{name} {child}", parts)


PAGES: dict[str, Callable[[], str]] = {
    "detectors.md": detectors,
    "settings.md": settings,
    "formats.md": formats_page,
    "exporters.md": exporters_page,
    "patterns.md": patterns,
    "openapi.json": openapi,
    "gatewatch-ndjson-v1.schema.json": ndjson_schema,
    "command-line.md": command_line,
}


def main() -> int:
    stale = []
    for name, make in PAGES.items():
        path, text = _REFERENCE / name, make()
        if not path.exists() or path.read_text() != text:
            stale.append(name)
            if "--check" not in sys.argv:
                path.write_text(text)
    print("\n".join(stale) if stale else "everything is up to date")
    return 1 if stale and "--check" in sys.argv else 0


if __name__ == "__main__":
    sys.exit(main())
