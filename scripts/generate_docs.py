"""Reference pages from the code that they describe; `--check` only compares."""

from __future__ import annotations

import ast
import json
import re
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
from gatewatch.bootstrap.gateways import gateway_kinds
from gatewatch.bootstrap.playbooks import built_in_playbooks
from gatewatch.bootstrap.workers import formats
from gatewatch.cli.app import EXIT_CODES, app
from gatewatch.config.settings import AskedSettings, ConnectionSettings, GatewaySettings, Settings, TargetSettings
from gatewatch.connectors.registry import Kind, kinds
from gatewatch.detect.detector import all_detectors
from gatewatch.detect.settings import fields
from gatewatch.formats.export import all_formats
from gatewatch.model.automation import Action, ActionOutcome, RunOutcome, Schedule, Trigger
from gatewatch.observe.pattern import Indicator, Recognizer, ResponseSignal
from gatewatch.plugins import discover
from gatewatch.ports.connectors import ActionInput, ActionMeta
from gatewatch.posture.controls import CONTROLS
from gatewatch.posture.recommendation import all_recommendations
from gatewatch.respond.conditions import BUILT_IN, FUNCTIONS
from gatewatch.respond.context import ROOTS, roots_for
from gatewatch.respond.playbooks.checking import Surroundings, read_playbook
from gatewatch.respond.playbooks.document import STEP_KINDS, Playbook, json_schema
from gatewatch.respond.playbooks.walking import sendings_of, steps_of
from gatewatch.respond.rule_text import RuleText
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


def _listed(kind: Any) -> Any:
    """The struct that a member is a list of; None for every other."""
    inner = get_args(kind)[0] if get_origin(kind) is tuple else None
    return inner if isinstance(inner, type) and issubclass(inner, msgspec.Struct) else None


def _section(kind: Any, name: str, *, listed: bool = False) -> list[str]:
    """Heading, what it is, its members; then sections of what is in it."""
    rows: list[list[object]] = []
    below: list[str] = []
    abouts = _abouts(kind)
    for field in msgspec.structs.fields(kind):
        inner = field.type if isinstance(field.type, type) and issubclass(field.type, msgspec.Struct) else None
        path = f"{name}.{field.name}" if name else field.name
        if inner is not None:
            below += _section(inner, path)
        elif (member := _listed(field.type)) is not None:
            below += _section(member, path, listed=True)
        else:
            rows.append([f"`{field.name}`", _type(field.type), _default(field), abouts[field.name]])
    title = f"`[[{name}]]`" if listed else f"`[{name}]`" if name else "At the top"
    about = f"{_first_line(kind)} As many as you like.\n" if listed else f"{_first_line(kind)}\n"
    head = [f"## {title}\n", about] if name else []
    table = [_table(["Setting", "Type", "Default", "About"], rows)] if rows else []
    return [*head, *table, *below]


def _default(field: Any) -> str:
    if field.default is msgspec.NODEFAULT:
        if field.default_factory is msgspec.NODEFAULT:
            return "required"
        return f"`{json.dumps(msgspec.to_builtins(field.default_factory()))}`"
    # As TOML has it, which has no null.
    return "-" if field.default is None else f"`{json.dumps(msgspec.to_builtins(field.default))}`"


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
    intro = (
        "# Settings\n\nA TOML file (`--config`), then environment variables (`GATEWATCH_API__PORT=9000` sets `api.port`), then\n"
        "command line options.\n"
    )
    return "\n".join([_MADE, intro, *_section(Settings, "")])


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


def connectors_page() -> str:
    parts = [
        _MADE,
        "# Connectors\n",
        (
            "What playbooks do in other systems. A connection is a connector with an address and secrets; more connectors: "
            "[how to](../how-to/add-a-connector.md).\n"
        ),
        (
            "Outcomes of a call are `succeeded`, `failed` (it surely had no effect) and `unknown` (it was sent and no answer "
            "tells). An unknown outcome is read back where the connector can, and only a repeatable action is performed "
            "again without that.\n"
        ),
        "## A connection: `[[connections]]`\n",
        _members(ConnectionSettings),
    ]
    for kind in sorted(kinds().values(), key=lambda kind: kind.meta.id):
        parts += _connector(kind)
    return "\n".join(part for part in parts if part)


def _connector(kind: Kind) -> list[str]:
    meta, wanted = kind.meta, kind.requirements
    parts = [f"## `{meta.id}`: {meta.title}\n\n{meta.description}\n"]
    address = f"`{wanted.url}` when none is given" if wanted.url else "required"
    parts.append(f"Address: {address}{'; a secret, given by reference' if wanted.secret_url else ''}.\n")
    rows: list[list[object]] = [
        [f"`secrets.{field.name}`", "required" if field.required else "-", field.description]
        for field in wanted.secrets
    ]
    for option in wanted.options:
        default = "required" if option.required else (f"`{option.default}`" if option.default else "-")
        rows.append([f"`options.{option.name}`", default, option.description])
    parts.append(_table(["Setting", "Default", "About"], rows) if rows else "")
    for action in meta.actions:
        parts += _action(action)
    parts.append("\n".join(f"- {reference}" for reference in meta.references) + "\n")
    return parts


def _action(action: ActionMeta) -> list[str]:
    facts = []
    if not action.changes:
        facts.append("Changes nothing.")
    elif action.repeatable:
        facts.append("Repeatable.")
    if action.reads_back:
        facts.append("Reads back" + (f" (wait {action.settles_s:g} s)." if action.settles_s else "."))
    parts = [f"### `{action.id}`: {action.title}\n\n{' '.join([action.description, *facts])}\n"]
    rows = [["in", *_field(field)] for field in action.inputs] + [["out", *_field(field)] for field in action.outputs]
    parts.append(_table(["", "Name", "Type", "About", "Example"], rows) if rows else "")
    return parts


def _field(field: ActionInput) -> list[object]:
    kind = " or ".join(f"`{choice}`" for choice in field.choices) or field.type
    about = field.description + (" Required." if field.required else "")
    return [f"`{field.name}`", kind, about, f"`{json.dumps(field.example)}`"]


def gateways_page() -> str:
    parts = [
        _MADE,
        "# Gateways\n",
        "What Gatewatch can tell to contain, and what each of them can: [how to](../how-to/contain-on-envoy.md).\n",
        "## A gateway: `[[gateways]]`\n",
        _members(GatewaySettings),
        "## Where gateways of kind `asked` ask: `[asked]`\n",
        _members(AskedSettings),
    ]
    for kind in sorted(gateway_kinds().values(), key=lambda kind: kind.meta.id):
        meta = kind.meta
        parts.append(f"## `{meta.id}`: {meta.title}\n\n{meta.description}\n")
        rows: list[list[object]] = []
        for one in meta.abilities:
            scopes = [scope.value for scope in one.scopes]
            scopes = [f"actor ({', '.join(one.actors)})" if scope == "actor" else scope for scope in scopes]
            narrowed = ", ".join(scope.value for scope in one.narrowed) or "-"
            rows.append([f"`{one.effect.value}`", ", ".join(scopes), narrowed, one.note])
        parts.append(_table(["Effect", "Of", "Narrowed to an endpoint", "About"], rows))
        ends = "The gateway itself ends entries that expire." if meta.expires_itself else "Gatewatch ends what expires."
        said = [
            f"Enforces by: {meta.enforces}.",
            f"In force: {meta.delay}.",
            f"A restart leaves: {meta.after_restart}",
            ends,
        ]
        parts.append("\n".join(f"- {line}" for line in said))
        parts.append(f"- Limits: {meta.limits}" if meta.limits else "")
        parts.append(f"- Set-up: {_setup(meta.setup)}\n" if meta.setup else "")
        parts.append(_members(kind.settings))
        parts.append("\n".join(f"- {reference}" for reference in meta.references) + "\n" if meta.references else "")
    return "\n".join(part for part in parts if part)


def _setup(text: str) -> str:
    """Names of snippets as links to them."""
    folder = "../../src/gatewatch/gateways/snippets"
    known = {path.name for path in (Path(__file__).parents[1] / "src/gatewatch/gateways/snippets").iterdir()}
    names = text.split(", ")
    return ", ".join(f"[`{name}`]({folder}/{name})" for name in names) if set(names) <= known else text


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


def automation() -> str:
    """Everything that may stand in an automation rule."""
    parts = [
        _MADE,
        "# Automation rules\n",
        "[How to](../how-to/automate-with-rules.md). A rule has these members:\n",
        _members(RuleText),
        "## Triggers: `trigger: {on: ...}`\n",
        _table(
            ["`on`", "When", "Members", "Conditions may name"],
            [
                [f"`{_tag(kind)}`", _first_line(kind), _own_members(kind), ", ".join(f"`{one}`" for one in names)]
                for kind, names in ((kind, _roots(kind)) for kind in get_args(Trigger))
            ],
        ),
        "A manual rule names what its `subject` has: see the trigger of the same kind.\n",
        "## Conditions\n",
        (
            "Each is an expression in [CEL](https://cel.dev) that is true or false; all have to hold. Names, functions and words\n"
            "that a field never has are refused when the rule is written. A condition that can't be evaluated when the rule runs\n"
            "makes it *failed*: nothing is done, and the run says why. Texts of actions may hold `${expression}`.\n"
        ),
    ]
    for name, kind in ROOTS.items():
        listed = get_origin(kind) is list
        struct = get_args(kind)[0] if listed else kind
        parts.append(f"### `{name}`{': a list' if listed else ''}\n\n{getdoc(struct)}\n")
        parts.append(_facts(name, struct, listed=listed))
    parts.append("### Functions\n\nCEL's own: " + ", ".join(f"`{one}`" for one in sorted(BUILT_IN)) + ".\n")
    parts.append(
        "Macros: `has`, `all`, `exists`, `exists_one`, `filter`, `map`. Gatewatch's: "
        + ", ".join(f"`{one}`" for one in sorted(FUNCTIONS))
        + ".\n"
    )
    parts.append("## Actions: `actions: [{do: ...}]`\n")
    for kind in get_args(Action):
        parts.append(f"### `{_tag(kind)}`\n\n{getdoc(kind)}\n")
        parts.append(_members(kind))
    parts.append("## What became of a run\n")
    parts.append(_table(["Outcome", "Meaning"], [[f"`{one}`", text] for one, text in _words(RunOutcome).items()]))
    parts.append(
        _table(["Of an action", "Meaning"], [[f"`{one}`", text] for one, text in _words(ActionOutcome).items()])
    )
    return "\n".join(parts)


def _tag(kind: Any) -> str:
    return str(kind.__struct_config__.tag)


def _first_line(kind: Any) -> str:
    return (getdoc(kind) or "").splitlines()[0]


def _own_members(kind: Any) -> str:
    abouts = _abouts(kind)
    return "; ".join(f"`{field.name}`: {abouts[field.name]}" for field in msgspec.structs.fields(kind)) or "-"


def _roots(kind: Any) -> list[str]:
    return list(roots_for(kind("0 8 * * *") if kind is Schedule else kind()))


def _facts(name: str, kind: Any, *, listed: bool) -> str:
    rows: list[list[object]] = []
    for field in msgspec.structs.fields(kind):
        path = field.name if listed else f"{name}.{field.name}"
        if isinstance(field.type, type) and issubclass(field.type, msgspec.Struct):
            inner = ", ".join(
                f"`.{one.name}` ({_meta(one.type).description})" for one in msgspec.structs.fields(field.type)
            )
            rows.append([f"`{path}`", "object", inner, ""])
            continue
        meta = _meta(field.type)
        example = json.dumps(meta.examples[0] if meta.examples else "", ensure_ascii=False)
        rows.append([f"`{path}`", _type(get_args(field.type)[0]), meta.description, f"`{example}`"])
    return _table(["Name", "Type", "Meaning", "Example"], rows)


def _meta(kind: Any) -> msgspec.Meta:
    return next(one for one in get_args(kind) if isinstance(one, msgspec.Meta))


def _words(kind: type[StrEnum]) -> dict[str, str]:
    """Members of an enumeration with what stands under them."""
    (tree,) = ast.parse(dedent(getsource(kind))).body
    assert isinstance(tree, ast.ClassDef)
    found = {one.value: "" for one in kind}
    for member, about in pairwise(tree.body):
        if isinstance(member, ast.Assign) and isinstance(member.value, ast.Constant) and isinstance(about, ast.Expr):
            told = about.value.value if isinstance(about.value, ast.Constant) else ""
            found[str(member.value.value)] = " ".join(str(told).split())
    return found


def playbooks_page() -> str:
    schema = json_schema()
    steps = {
        next(kind for kind in STEP_KINDS if kind in one["properties"]): one
        for name, one in schema["$defs"].items()
        if name.endswith("Step")
    }
    parts = [
        _MADE,
        "# Playbooks\n",
        (
            "A YAML file, made and run as in [the how-to](../how-to/automate-with-playbooks.md); its "
            "[JSON Schema](gatewatch-playbook-v1.schema.json) is for editors.\n"
        ),
        (
            "Conditions and everything in `${...}` is [CEL](https://cel.dev). Expressions know `inputs`, `vars`, `steps` (what "
            "earlier steps brought), `run`, `now` (Unix seconds), and of the subject: `incident`, `alerts` and `entities`; `alert`, "
            "`incident` and `entities`; or `finding`. Their fields and the functions are those of "
            "[automation rules](automation.md#conditions). Durations are seconds, or `90s`, `5m`, `2h`, `1d`; at most 30 days.\n"
        ),
        "## The file\n",
        _schema_table(schema, schema),
        "## Inputs\n",
        _schema_table(schema["$defs"]["Input"], schema),
        "## What every step has\n",
        f"And exactly one of {', '.join(f'`{kind}`' for kind in STEP_KINDS)}.\n",
        _schema_table(steps["set"], schema, without=("set",)),
    ]
    shared = steps["set"]["properties"].keys() - {"set"}
    for kind in STEP_KINDS:
        body = schema["$defs"][steps[kind]["properties"][kind]["$ref"].rpartition("/")[2]]
        parts.append(f"## `{kind}`\n\n{body['description']}\n")
        parts.append(_schema_table(body, schema))
        if steps[kind]["properties"].keys() - shared - {kind}:
            parts.append(f"Beside `{kind}`:\n")
            parts.append(_schema_table(steps[kind], schema, without=(*shared, kind)))
    parts += ["## A message of `tell`\n", _schema_table(schema["$defs"]["Sending"], schema)]
    parts += [
        "## `retry`\n",
        schema["$defs"]["Retry"]["description"] + "\n",
        _schema_table(schema["$defs"]["Retry"], schema),
    ]
    return "\n".join(parts)


def _schema_table(model: dict[str, Any], schema: dict[str, Any], *, without: Sequence[str] = ()) -> str:
    required = model.get("required", ())
    rows: list[list[object]] = []
    for name, member in model["properties"].items():
        if name not in without:
            default = (
                "required" if name in required else f"`{json.dumps(member['default'])}`" if "default" in member else ""
            )
            about = member.get("description", "").replace("\n", " ")
            rows.append([f"`{name}`", _schema_type(member, schema), default, about])
    return _table(["Field", "Type", "Default", "About"], rows)


def _schema_type(member: dict[str, Any], schema: dict[str, Any]) -> str:
    if "$ref" in member:
        name = member["$ref"].rpartition("/")[2]
        values = schema["$defs"][name].get("enum")
        return ", ".join(f"`{one}`" for one in values) if values else name
    if "oneOf" in member:
        return "step"
    if "anyOf" in member:
        inner = dict.fromkeys(_schema_type(one, schema) for one in member["anyOf"] if one.get("type") != "null")
        return "duration" if list(inner) == ["number > 0", "text"] else " or ".join(inner)
    if "const" in member or "enum" in member:
        return ", ".join(f"`{one}`" for one in member.get("enum", [member.get("const")]))
    if member.get("type") == "array":
        inside = member.get("items") or {}
        return f"list of {_schema_type(inside, schema)}s" if inside.get("oneOf") or inside.get("$ref") else "list"
    if member.get("type") == "object":
        inside = member.get("additionalProperties") or next(iter(member.get("patternProperties", {}).values()), None)
        return f"mapping to {_schema_type(inside, schema)}" if isinstance(inside, dict) and inside else "mapping"
    limits = {"minimum": "≥ {}", "maximum": "≤ {}", "exclusiveMinimum": "> {}"}
    told = " and ".join(form.format(member[name]) for name, form in limits.items() if name in member)
    kind = {"string": "text", None: "anything"}.get(member.get("type"), str(member.get("type")))
    return f"{kind} {told}".strip()


def playbook_schema() -> str:
    return json.dumps(json_schema(), indent=1) + "\n"


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


def built_in_page() -> str:
    intro = (
        "They come switched off and staged: enabled they only simulate, until somebody promotes them. The connections that\n"
        "they name are yours to configure; save a playbook under another name to change it. Of every file there is a\n"
        "[JSON Schema](gatewatch-playbook-v1.schema.json) for editors.\n"
    )
    parts = [_MADE, "# Built-in playbooks\n", intro]
    for text in built_in_playbooks():
        parts += _playbook(read_playbook(text, Surroundings()))
    return "\n".join(parts)


def _playbook(playbook: Playbook) -> list[str]:
    steps = list(steps_of(playbook.steps))
    uses = sorted({f"`{one.connection}` ({one.do})" for step in steps for one in sendings_of(step.body)})
    asks = [f"{step.kind} `{step.step.id}`" for step in steps if step.kind in ("approval", "ask")]
    told = [f"About: {playbook.subject}.", f"Connections: {', '.join(uses) or 'none'}."]
    told.append(f"Asks people: {', '.join(asks) or 'no'}.")
    rows = [
        [
            f"`{name}`",
            one.type,
            "yes" if one.required else "no",
            "" if one.default is None else f"`{one.default!r}`",
            one.description,
        ]
        for name, one in playbook.inputs.items()
    ]
    about = re.sub(r" (?=(?:Needs|Does not|Guard|Undo):)", "\n- ", playbook.description)
    parts = [f"## `{playbook.name}`: {playbook.title}\n", f"- {about}\n", " ".join(told) + "\n"]
    return [*parts, _table(["Input", "Type", "Required", "Default", "About"], rows)] if rows else parts


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
    "automation.md": automation,
    "connectors.md": connectors_page,
    "gateways.md": gateways_page,
    "patterns.md": patterns,
    "playbooks.md": playbooks_page,
    "gatewatch-playbook-v1.schema.json": playbook_schema,
    "openapi.json": openapi,
    "gatewatch-ndjson-v1.schema.json": ndjson_schema,
    "built-in-playbooks.md": built_in_page,
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
