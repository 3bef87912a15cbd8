"""Playbooks as files: read, checked offline, imported in an order in which they can be saved."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gatewatch.cli.rest import Server
from gatewatch.errors import InputError

__all__ = ["check_file", "import_files", "read_file"]


def read_file(file: Path) -> tuple[str, str]:
    """(name of the playbook, text). Raises InputError for what can't be read or has no name."""
    text = _text(file)
    from gatewatch.respond.playbooks.checking import Surroundings, read_playbook
    from gatewatch.respond.playbooks.reading import PlaybookError

    try:
        document = read_playbook(text, Surroundings())
    except PlaybookError as error:
        raise InputError(
            f"{file}: {error.message}", cure=f"`gatewatch playbooks check {file}` shows the same."
        ) from error
    return document.name, text


def check_file(file: Path) -> list[dict[str, Any]]:
    """All mistakes that can be seen without a server, in order of place."""
    text = _text(file)
    import msgspec

    from gatewatch.respond.playbooks.checking import Surroundings, read_playbook
    from gatewatch.respond.playbooks.reading import PlaybookError

    try:
        read_playbook(text, Surroundings())
    except PlaybookError as error:
        return [msgspec.to_builtins(one) for one in error.problems]
    return []


def import_files(server: Server, folder: Path) -> tuple[list[dict[str, Any]], dict[Path, InputError]]:
    """(what was saved, what was not and why). A playbook that runs another can be saved only after that one."""
    files = sorted(one for one in folder.glob("*") if one.suffix in (".yaml", ".yml"))
    if not files:
        raise InputError(f"there is no *.yaml in {folder}", cure="Give the folder with the playbooks.")
    saved: list[dict[str, Any]] = []
    failed: dict[Path, InputError] = {}
    left = files
    while left:
        failed = {}
        for file in left:
            try:
                name, text = read_file(file)
                saved.append(server.call("PUT", f"/v1/playbooks/{name}", body={"text": text}))
            except InputError as error:
                failed[file] = error
        if len(failed) == len(left):
            break
        left = list(failed)
    return saved, failed


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"can't read {file}: {error}", cure="Give a YAML file in UTF-8.") from error
