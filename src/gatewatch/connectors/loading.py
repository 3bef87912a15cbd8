"""Definition files: read strictly, every mistake told with its line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import msgspec
import yaml

from gatewatch.connectors.definition import AMBIENT, ANSWERED, Action, Definition, Request, Result
from gatewatch.connectors.inputs import problem_of_value
from gatewatch.errors import ConfigurationError, DefinitionError
from gatewatch.ports.connectors import ActionInput
from gatewatch.respond.conditions import expressions_of, problem_of

__all__ = ["built_in", "load", "load_folder"]

_MOST_BYTES = 256 * 1024
_STEP = re.compile(r"\.(\w+)|\[(\d+)\]|\[\.\.\.\]")
_MEMBER = re.compile(r"\b(inputs|lines|options)\.(\w+)")
_TYPES = frozenset({"string", "integer", "number", "boolean", "array", "object"})
_HIDDEN = "$secret"
Path_ = tuple[str | int, ...]
Problem = tuple[Path_, str]


def built_in() -> list[Definition]:
    """Those that come with Gatewatch."""
    folder = resources.files("gatewatch.connectors") / "definitions"
    files = sorted((item for item in folder.iterdir() if item.name.endswith(".yaml")), key=lambda item: item.name)
    return [load(item.read_text(encoding="utf-8"), file=item.name) for item in files]


def load_folder(folder: str) -> list[Definition]:
    """A folder's `*.yaml` in order. Raises ConfigurationError, DefinitionError."""
    try:
        files = sorted(Path(folder).glob("*.yaml"))
        return [load(file.read_text(encoding="utf-8"), file=str(file)) for file in files]
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"can't read the connectors in {folder}: {type(error).__name__}") from error


def load(text: str, *, file: str) -> Definition:
    """One definition. Raises DefinitionError at the first mistake; its message has the others too."""
    if len(text.encode()) > _MOST_BYTES:
        raise DefinitionError(f"the file has more than {_MOST_BYTES} octets", file=file)
    root, tree = _parsed(text, file)
    try:
        definition = msgspec.convert(tree, Definition)
    except msgspec.ValidationError as error:
        message, _, place = str(error).partition(" - at `")
        raise _located(root, _steps(place.removesuffix("`")), message, file) from error
    wrong = list(problems(definition))
    if wrong:
        (path, first), *others = wrong
        rest = "".join(f"; line {_line(root, where)[0]}: {what}" for where, what in others)
        raise _located(root, path, first + rest, file)
    return definition


def problems(definition: Definition) -> Iterator[Problem]:
    """What the types alone can't tell."""
    secrets = {field.name for field in definition.secrets}
    options = {field.name for field in definition.options}
    yield from _authentication_problems(definition, secrets, options)
    yield from _template(definition.headers, ("headers",), {"options": options}, set())
    yield from _unique((action.id for action in definition.actions), ("actions",), "action")
    for index, action in enumerate(definition.actions):
        path: Path_ = ("actions", index)
        known = {"inputs": {field.name for field in action.inputs}, "options": options}
        known["lines"] = known["inputs"]
        yield from _field_problems(action, path)
        yield from _request_problems(action.request, (*path, "request"), known, secrets)
        yield from _expression(action.accepted, ANSWERED, (*path, "accepted"), known)
        yield from _expression(action.error, ANSWERED, (*path, "error"), known)
        yield from _result_problems(action, action.result, (*path, "result"), known)
        yield from _key_problems(definition, action, path)
        if action.read_back is not None:
            place = (*path, "read_back")
            yield from _request_problems(action.read_back.request, (*place, "request"), known, secrets)
            yield from _expression(action.read_back.found, ANSWERED, (*place, "found"), known)
            yield from _result_problems(action, action.read_back.result, (*place, "result"), known)


def _authentication_problems(definition: Definition, secrets: set[str], options: set[str]) -> Iterator[Problem]:
    proof, path, known = definition.authentication, ("authentication",), {"options": options, "inputs": set[str]()}
    needed = {"basic": ("user", "secret"), "bearer": ("secret",), "header": ("secret", "header"), "token": ("token",)}
    for name in needed.get(proof.kind, ()):
        if not getattr(proof, name):
            yield path, f"authentication of kind {proof.kind} needs {name}"
    if proof.secret and proof.secret not in secrets:
        yield (*path, "secret"), f"there is no secret {proof.secret}"
    yield from _template(proof.user, (*path, "user"), known, secrets)
    if proof.token is not None:
        place = (*path, "token")
        yield from _request_problems(proof.token.request, (*place, "request"), known, secrets)
        yield from _expression(proof.token.token, ANSWERED, (*place, "token"), known)
        yield from _expression(proof.token.lifetime_s, ANSWERED, (*place, "lifetime_s"), known)


def _field_problems(action: Action, path: Path_) -> Iterator[Problem]:
    for part, fields in (("inputs", action.inputs), ("outputs", action.outputs)):
        yield from _unique((field.name for field in fields), (*path, part), part.removesuffix("s"))
        for index, field in enumerate(fields):
            if why := _field_problem(field):
                yield (*path, part, index), why


def _field_problem(field: ActionInput) -> str:
    if field.type not in _TYPES:
        return f"{field.type} is no type; there are {', '.join(sorted(_TYPES))}"
    if field.example is None:
        return f"{field.name} has no example"
    why = problem_of_value(field, field.example)
    return f"the example of {field.name} {why}" if why else ""


def _key_problems(definition: Definition, action: Action, path: Path_) -> Iterator[Problem]:
    known = action.idempotency
    sent = [*_texts(msgspec.to_builtins(action.request)), *definition.headers.values()]
    if known is not None and not known.repeatable and not any("key" in _names(text) for text in sent):
        yield (*path, "idempotency"), "the request does not use `key`"
    if not action.changes and (known is not None or action.read_back is not None):
        yield path, "an action that changes nothing needs neither idempotency nor read_back"


def _result_problems(action: Action, result: Result, path: Path_, known: dict[str, set[str]]) -> Iterator[Problem]:
    outputs = {field.name for field in action.outputs}
    for name, expression in result.values.items():
        if name not in outputs:
            yield (*path, "values", name), f"there is no output {name}"
        yield from _expression(expression, ANSWERED, (*path, "values", name), known)
    yield from _expression(result.link, ANSWERED, (*path, "link"), known)


def _request_problems(
    request: Request, path: Path_, known: dict[str, set[str]], secrets: set[str]
) -> Iterator[Problem]:
    if request.method == "GET" and request.body is not None:
        yield (*path, "body"), "a GET request has no body"
    if request.path and not request.path.startswith("/"):
        yield (*path, "path"), "a path begins with /"
    for name in ("url", "path", "query", "headers", "body"):
        yield from _template(getattr(request, name), (*path, name), known, secrets)


def _template(template: Any, path: Path_, known: dict[str, set[str]], secrets: set[str]) -> Iterator[Problem]:
    if isinstance(template, str):
        if template.count("${") != len(expressions_of(template)):
            yield path, "an expression is not closed, or has braces inside braces"
        for expression in expressions_of(template):
            yield from _expression(expression, AMBIENT, path, known)
    elif isinstance(template, list):
        for index, one in enumerate(template):
            yield from _template(one, (*path, index), known, secrets)
    elif isinstance(template, dict):
        if _HIDDEN in template:
            if set(template) != {_HIDDEN} or template[_HIDDEN] not in secrets:
                yield path, f"there is no secret {template[_HIDDEN]}, or something stands beside it"
            return
        for name, one in template.items():
            yield from _template(one, (*path, name), known, secrets)


def _expression(source: str, variables: Iterable[str], path: Path_, known: dict[str, set[str]]) -> Iterator[Problem]:
    if not source:
        return
    if why := problem_of(source, list(variables)):
        yield path, why
    for kind, name in _MEMBER.findall(source):
        if kind in known and name not in known[kind]:
            yield path, f"`{source}` names {kind}.{name}, which there is not"


def _texts(tree: Any) -> Iterator[str]:
    if isinstance(tree, str):
        yield tree
    elif isinstance(tree, dict):
        for one in tree.values():
            yield from _texts(one)
    elif isinstance(tree, list):
        for one in tree:
            yield from _texts(one)


def _names(template: str) -> set[str]:
    return {word for expression in expressions_of(template) for word in re.findall(r"(?<![.\w])[a-z]\w*", expression)}


def _unique(names: Iterable[str], path: Path_, what: str) -> Iterator[Problem]:
    seen: set[str] = set()
    for index, name in enumerate(names):
        if name in seen:
            yield (*path, index), f"the {what} {name} is there twice"
        seen.add(name)


def _parsed(text: str, file: str) -> tuple[yaml.Node | None, Any]:
    try:
        if any(isinstance(token, yaml.AliasToken) for token in yaml.scan(text, Loader=yaml.SafeLoader)):
            raise DefinitionError("aliases are not read", file=file, cure="Write the value out.")
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        return root, yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
        raise DefinitionError(f"no YAML: {error.problem}", file=file, line=line, column=column) from error
    except (yaml.YAMLError, ValueError) as error:
        raise DefinitionError("no YAML", file=file) from error


def _steps(place: str) -> Path_:
    return tuple(int(index) if index else name for name, index in _STEP.findall(place) if name or index)


def _line(root: yaml.Node | None, path: Path_) -> tuple[int, int]:
    """Where a member stands, or the nearest thing around it."""
    node = root
    for step in path:
        below = _below(node, step)
        if below is None:
            break
        node = below
    return (node.start_mark.line + 1, node.start_mark.column + 1) if node is not None else (1, 1)


def _below(node: yaml.Node | None, step: str | int) -> yaml.Node | None:
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        found: yaml.Node = node.value[step]
        return found
    if isinstance(node, yaml.MappingNode):
        for name, value in node.value:
            if name.value == step:
                inner: yaml.Node = value
                return inner
    return None


def _located(root: yaml.Node | None, path: Path_, message: str, file: str) -> DefinitionError:
    line, column = _line(root, path)
    return DefinitionError(
        message, file=file, line=line, column=column, cure="docs/how-to/add-a-connector.md shows the form."
    )
