"""Typed errors. Behaviour hangs on class and code, never on the text."""

from __future__ import annotations

__all__ = [
    "ConfigurationError",
    "ConflictError",
    "DefinitionError",
    "GatewatchError",
    "InputError",
    "JournalFullError",
    "NotFoundError",
    "StaleError",
    "StoreError",
]


class GatewatchError(Exception):
    """Base of every error that Gatewatch raises on purpose.

    `code` is stable and documented (REST problem type, CLI message); `cure` says what the person can do.
    """

    code = "internal"
    exit_code = 1

    def __init__(self, message: str, *, cure: str = "") -> None:
        """Keep the message and the cure apart so that a UI can show both."""
        super().__init__(message)
        self.message = message
        self.cure = cure


class ConfigurationError(GatewatchError):
    """A setting is missing or wrong."""

    code = "configuration"
    exit_code = 3


class InputError(GatewatchError):
    """Input given by a person can't be used: unknown format, unreadable file, bad argument."""

    code = "input"
    exit_code = 2


class DefinitionError(InputError):
    """A definition file is wrong at a place: list, playbook, OpenAPI, ip-info."""

    code = "definition"

    def __init__(self, message: str, *, file: str, line: int = 0, column: int = 0, cure: str = "") -> None:
        """Locate the mistake; line and column count from 1, 0 means unknown."""
        where = f"{file}:{line}:{column}" if line else file
        super().__init__(f"{where}: {message}", cure=cure)
        self.file, self.line, self.column = file, line, column


class NotFoundError(GatewatchError):
    """The named thing does not exist."""

    code = "not-found"
    exit_code = 4


class ConflictError(GatewatchError):
    """The thing changed since it was read, or the change is not allowed in its state."""

    code = "conflict"
    exit_code = 5


class StaleError(ConflictError):
    """The revision that was read is not the current one any more."""

    code = "precondition-failed"


class StoreError(GatewatchError):
    """A store can't be used: locked, wrong schema, unreachable."""

    code = "store"
    exit_code = 6


class JournalFullError(GatewatchError):
    """The journal is at its size limit; nothing was taken. Try again after `retry_after_s` seconds."""

    code = "journal-full"
    exit_code = 7

    def __init__(self, message: str, *, retry_after_s: int) -> None:
        """Carry the wait that the sender should respect."""
        super().__init__(message, cure="Slow the sender down, or raise journal.max_bytes.")
        self.retry_after_s = retry_after_s
