"""Paths of OpenAPI 3 and Swagger 2 documents as templates."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

import msgspec
import yaml

from gatewatch.errors import DefinitionError
from gatewatch.model.path import TemplateReason
from gatewatch.observe.templates.identity import normal_host
from gatewatch.observe.templates.routes import Route

__all__ = ["read_openapi"]

_MAX_DOCUMENT = 64 * 1024 * 1024
_MAX_ROUTES = 20_000
"""Paths times servers; Microsoft Graph's document, the largest public one, has about 14,000 paths."""


def read_openapi(document: bytes, name: str) -> list[Route]:
    """Routes of a JSON or YAML document; every path under every server. Raises DefinitionError with the place."""
    content = _load(document, name)
    if not isinstance(content, dict) or not ("openapi" in content or "swagger" in content):
        cure = "Give an OpenAPI 3 or Swagger 2 document."
        raise DefinitionError("no `openapi` or `swagger` member", file=name, line=1, cure=cure)
    paths = content.get("paths")
    if not isinstance(paths, dict):
        line = _line(document, "paths")
        raise DefinitionError("`paths` is missing or no object", file=name, line=line, cure="List the paths.")
    routes: dict[Route, None] = {}
    for path, item in paths.items():
        if isinstance(path, str) and path.startswith("x-"):
            continue
        _check(path, item, document, name)
        servers = _servers(item if item and "servers" in item else content)
        for host, base in servers:
            segments = tuple(part for part in f"{base}{path}".split("?")[0].split("/") if part)
            routes[Route(host, segments, TemplateReason.SPEC)] = None
        if len(routes) > _MAX_ROUTES:
            raise DefinitionError(f"more than {_MAX_ROUTES:,} routes", file=name, cure="Split the document by server.")
    return list(routes)


def _check(path: object, item: object, document: bytes, name: str) -> None:
    line = _line(document, str(path))
    if not isinstance(path, str) or not path.startswith("/"):
        raise DefinitionError(f"path {path!r} does not begin with `/`", file=name, line=line, cure="Begin it with `/`.")
    if path.count("{") != path.count("}") or "{}" in path or "{{" in path:
        raise DefinitionError(f"placeholders of {path!r} are not closed or have no name", file=name, line=line)
    if item is not None and not isinstance(item, dict):
        raise DefinitionError(f"path item of {path!r} is no object", file=name, line=line)


def _load(document: bytes, name: str) -> Any:
    if len(document) > _MAX_DOCUMENT:
        raise DefinitionError(f"larger than {_MAX_DOCUMENT:,} octets", file=name)
    try:
        return msgspec.json.decode(document)
    except (msgspec.DecodeError, RecursionError):
        pass
    if document.lstrip().startswith(b"{") and (error := _json_error(document)):
        raise DefinitionError(error.msg, file=name, line=error.lineno, column=error.colno) from error
    try:
        return yaml.safe_load(document)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
        raise DefinitionError(error.problem or "not YAML", file=name, line=line, column=column) from error
    except (yaml.YAMLError, UnicodeDecodeError, ValueError, RecursionError) as error:
        raise DefinitionError("neither JSON nor YAML", file=name) from error


def _json_error(document: bytes) -> json.JSONDecodeError | None:
    """The place of the first mistake, unless the text is YAML flow style after all."""
    try:
        json.loads(document)
    except json.JSONDecodeError as error:
        return error if b'"' in document[: error.pos + 1] else None
    except (UnicodeDecodeError, RecursionError):
        return None
    return None


def _servers(content: dict[str, Any]) -> list[tuple[str, str]]:
    """(host, base path) pairs; a relative server, or one whose host is a variable, fits every host ('')."""
    if "swagger" in content:
        return [(normal_host(str(content.get("host") or "")), _base(str(content.get("basePath") or "")))]
    servers = content.get("servers")
    found = {_server(server) for server in servers if isinstance(server, dict)} if isinstance(servers, list) else set()
    return sorted(found) or [("", "")]


def _server(server: dict[str, Any]) -> tuple[str, str]:
    text = str(server.get("url") or "")
    variables = server.get("variables")
    for name, variable in variables.items() if isinstance(variables, dict) else ():
        if isinstance(variable, dict) and not variable.get("enum"):
            text = text.replace(
                f"{{{name}}}", str(variable.get("default", "")) if f"/{{{name}}}" in text else f"{{{name}}}"
            )
    try:
        url = urlsplit(text)
        host = "" if "{" in url.netloc else normal_host(url.netloc.rpartition("@")[2])
    except ValueError:  # a bracket in the host that is no IPv6 address
        return "", ""
    return host, _base(url.path)


def _base(path: str) -> str:
    return "/" + path.strip("/") if path.strip("/") else ""


def _line(document: bytes, text: str) -> int:
    index = document.find(text.encode("utf-8", "replace"))
    return document.count(b"\n", 0, index) + 1 if index >= 0 else 1
