"""Paths of OpenAPI 3 and Swagger 2 documents as templates."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import msgspec
import yaml

from gatewatch.errors import DefinitionError
from gatewatch.model.path import TemplateReason
from gatewatch.observe.templates.identity import normal_host
from gatewatch.observe.templates.routes import Route

__all__ = ["read_openapi"]


def read_openapi(document: bytes, name: str) -> list[Route]:
    """Routes of a JSON or YAML document. Raises DefinitionError with the place of the mistake."""
    content = _load(document, name)
    if not isinstance(content, dict) or not ("openapi" in content or "swagger" in content):
        raise DefinitionError(
            "no `openapi` or `swagger` member", file=name, line=1, cure="Give an OpenAPI 2 or 3 document."
        )
    paths = content.get("paths")
    if not isinstance(paths, dict):
        raise DefinitionError("`paths` is missing or no object", file=name, line=1)
    routes: list[Route] = []
    for path in paths:
        if not isinstance(path, str) or not path.startswith("/"):
            raise DefinitionError(f"path {path!r} does not begin with `/`", file=name, line=_line(document, str(path)))
        for host, base in _servers(content):
            segments = tuple(part for part in f"{base}{path}".split("/") if part)
            routes.append(Route(host, segments, TemplateReason.SPEC))
    return routes


def _load(document: bytes, name: str) -> Any:
    try:
        return msgspec.json.decode(document)
    except msgspec.DecodeError:
        pass
    try:
        return yaml.safe_load(document)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
        raise DefinitionError(error.problem or "not YAML", file=name, line=line, column=column) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise DefinitionError("neither JSON nor YAML", file=name) from error


def _servers(content: dict[str, Any]) -> list[tuple[str, str]]:
    """(host, base path) pairs; a relative server has no host and fits every one."""
    if "swagger" in content:
        return [(normal_host(str(content.get("host") or "")), str(content.get("basePath") or "").rstrip("/"))]
    found = []
    for server in content.get("servers") or []:
        url = urlsplit(str(server.get("url") or "")) if isinstance(server, dict) else urlsplit("")
        if "{" in url.netloc:
            url = url._replace(netloc="")
        found.append((normal_host(url.netloc), url.path.rstrip("/")))
    return sorted(set(found)) or [("", "")]


def _line(document: bytes, text: str) -> int:
    index = document.find(text.encode("utf-8", "replace"))
    return document.count(b"\n", 0, index) + 1 if index >= 0 else 1
