"""Read settings: defaults, then a TOML file, then environment variables, then what the caller overrides."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import platformdirs

from gatewatch.config.settings import Settings
from gatewatch.errors import ConfigurationError

__all__ = ["PREFIX", "default_data_dir", "load"]

PREFIX = "GATEWATCH_"
_CLIENT = frozenset({"GATEWATCH_SERVER", "GATEWATCH_TOKEN"})
"""Of the command line's client side, no settings."""


def default_data_dir() -> Path:
    """Where data lives unless told otherwise: the platform's place for a user's application data."""
    return Path(platformdirs.user_data_dir("gatewatch", appauthor=False))


def load(
    file: Path | None = None, *, environment: Mapping[str, str], overrides: Mapping[str, Any] | None = None
) -> Settings:
    """Settings from all layers.

    Environment: `GATEWATCH_API__PORT=9000` sets `api.port`; values are read as TOML when they parse, else as text.
    A variable that the file names as the place of a secret (`env:GATEWATCH_JIRA`) is no setting.
    `overrides` has dotted names (`api.port`). Raises ConfigurationError naming the file or variable and the member.
    """
    tree: dict[str, Any] = {"data_dir": str(default_data_dir())}
    if file is not None:
        _merge(tree, _read(file))
    aside = _CLIENT | set(_secrets(tree))
    for name, value in environment.items():
        if name.startswith(PREFIX) and name not in aside:
            _set(tree, name.removeprefix(PREFIX).lower().split("__"), _literal(value))
    for name, value in (overrides or {}).items():
        if value is not None:
            _set(tree, name.split("."), value)
    try:
        return msgspec.convert(tree, Settings, strict=False)
    except msgspec.ValidationError as error:
        raise ConfigurationError(
            f"settings: {error}", cure="docs/reference/settings.md lists every setting with its type and default."
        ) from error


def _secrets(value: object) -> Iterator[str]:
    """Names of variables that secrets are taken from."""
    if isinstance(value, str) and value.startswith("env:"):
        yield value.removeprefix("env:")
    elif isinstance(value, dict | list):
        for inside in value.values() if isinstance(value, dict) else value:
            yield from _secrets(inside)


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(f"can't read {file}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{file} is not TOML: {error}") from error


def _literal(text: str) -> object:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _merge(into: dict[str, Any], new: Mapping[str, Any]) -> None:
    for name, value in new.items():
        if isinstance(value, dict) and isinstance(into.get(name), dict):
            _merge(into[name], value)
        else:
            into[name] = value


def _set(tree: dict[str, Any], path: list[str], value: object) -> None:
    for name in path[:-1]:
        tree = tree.setdefault(name, {})
        if not isinstance(tree, dict):
            raise ConfigurationError(f"settings: {'.'.join(path)} goes through {name}, which is not a section")
    tree[path[-1]] = value
