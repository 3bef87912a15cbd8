"""Export as services see it: how a transport takes items, and what the store remembers of each target."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from enum import StrEnum
from typing import Any, ClassVar, Protocol

import msgspec

from gatewatch.errors import GatewatchError
from gatewatch.model.alert import Severity
from gatewatch.model.export import Exported, ExportKind, Shape

__all__ = [
    "BatchRefusedError",
    "Content",
    "Delivery",
    "DeliveryError",
    "ExportStore",
    "Exporter",
    "ExporterMeta",
    "Letter",
    "Progress",
    "TargetState",
    "TargetStatus",
    "UnsayableError",
    "Walk",
]


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """One rendered item on its way."""

    event_id: str
    """The same state of the same thing has the same id; what receivers drop repeats by."""
    kind: ExportKind
    subject: str
    at: float
    """Unix seconds."""
    snapshot: str = ""
    """ISO week of the snapshot it belongs to."""
    severity: Severity
    body: bytes
    """Without a line end."""


class Content(msgspec.Struct, frozen=True, kw_only=True):
    """What a target's format makes."""

    shape: Shape
    content_type: str
    preamble: bytes = b""
    """Stands once at the start of a file."""


class ExporterMeta(msgspec.Struct, frozen=True, kw_only=True):
    """What people read about a transport, and what batches are cut by."""

    id: str
    title: str
    description: str
    shapes: tuple[Shape, ...] = tuple(Shape)
    """What its formats may make."""
    confirmation: str
    """When an item counts as taken."""
    max_items: int = 500
    max_bytes: int = 1_000_000
    """Of one batch's bodies; a single larger item goes alone."""
    references: tuple[str, ...] = ()


class DeliveryError(GatewatchError):
    """A batch was not taken, or not all of it. What was neither settled nor refused has to be sent again."""

    code = "delivery"

    def __init__(
        self,
        message: str,
        *,
        settled: int = 0,
        refused: Mapping[int, str] | None = None,
        retry_after_s: float | None = None,
        cure: str = "",
    ) -> None:
        """Say what became of the batch.

        `settled`: so many items from the front were taken, but for those in `refused` (index to reason), which are
        refused for good, wherever they stand. `retry_after_s`: what the target asked for.
        """
        super().__init__(message, cure=cure)
        self.settled, self.refused, self.retry_after_s = settled, dict(refused or {}), retry_after_s


class BatchRefusedError(DeliveryError):
    """The target will never take this batch as it is; one item of it may be to blame."""


class UnsayableError(DeliveryError):
    """A format can't render one item; it becomes a dead letter."""

    code = "unsayable"


class Exporter(ABC):
    """One way to a target; one file. Used by one thread."""

    meta: ClassVar[ExporterMeta]
    settings: ClassVar[type[msgspec.Struct]]

    @abstractmethod
    def __init__(self, settings: Any, content: Content) -> None:
        """`settings` is of the class's own type. Opens nothing. Raises ConfigurationError for what can't work."""

    @abstractmethod
    def send(self, batch: Sequence[Delivery]) -> None:
        """Hand over, in order; returning means that all of it was taken. Raises DeliveryError."""

    @abstractmethod
    def close(self) -> None:
        """Let go of connections."""


class Walk(msgspec.Struct, frozen=True, kw_only=True):
    """A pass over everything there is, oldest first: a back-fill, or a weekly snapshot."""

    snapshot: str = ""
    """ISO week; '' for a back-fill."""
    kinds: tuple[ExportKind, ...]
    """Still to do, the first one is at work."""
    cursor: tuple[float, str] = (0.0, "")
    """Behind the last thing of the first kind that was settled."""
    sent: int = 0
    started_at: float


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How far a target is."""

    target: str
    position: int
    """Sequence number of the last change that was settled."""
    paused: bool = False
    week: str = ""
    """ISO week of the last snapshot that was finished."""
    walk: Walk | None = None
    asked: Walk | None = None
    """A pass that somebody asked for and the target has not begun; one without kinds ends the one at work."""
    delivered: int = 0
    """Items taken since the target was made."""


class TargetState(StrEnum):
    """What a target is doing."""

    DISABLED = "disabled"
    PAUSED = "paused"
    RUNNING = "running"
    STANDBY = "standby"
    """Another server on the same database serves it."""
    WAITING = "waiting"
    """After a failure, for the next attempt."""
    BLOCKED = "blocked"
    """It has as many dead letters as it may have."""
    STOPPED = "stopped"
    """Its thread ended; the log says why."""


class TargetStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One target as people see it. Times are Unix seconds, 0 for never."""

    name: str
    transport: str
    format: str
    mode: str
    kinds: tuple[ExportKind, ...]
    state: TargetState
    lag_items: int = 0
    """Changes that were not looked at yet."""
    lag_s: float = 0.0
    """Age of the first of them."""
    delivered: int = 0
    dead_letters: int = 0
    attempts: int = 0
    """Failures since something was taken."""
    last_error: str = ""
    last_error_at: float = 0.0
    last_delivery_at: float = 0.0
    next_attempt_at: float = 0.0
    snapshot_week: str = ""
    """ISO week of the last whole snapshot."""
    walk: Walk | None = None


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """One item that a target refused for good. Only its name is kept: sent again, it is read again."""

    id: str
    target: str
    event_id: str
    kind: ExportKind
    subject: str
    snapshot: str = ""
    reason: str
    refused_at: float
    attempts: int = 1
    resend: bool = False
    """Somebody asked for it to be sent again."""


class ExportStore(Protocol):
    """Thread-safe. Same behaviour on SQLite and PostgreSQL."""

    def progress(self, target: str) -> Progress | None:
        """None for a target that was never seen."""
        ...

    def begin(self, progress: Progress) -> Progress:
        """Keep a new target; the stored one when there is one already."""
        ...

    def settle(self, progress: Progress, letters: Sequence[Letter] = ()) -> None:
        """Position, walk, week and count of a target together with what it refused.

        `paused` and `asked` belong to people and stay as they are. A letter that is known counts one attempt more.
        """
        ...

    def pause(self, target: str, *, paused: bool) -> None:
        """Raises NotFoundError."""
        ...

    def ask_walk(self, target: str, walk: Walk) -> None:
        """Leave a wish for a pass; replaces an earlier wish. Raises NotFoundError."""
        ...

    def accept_walk(self, target: str, walk: Walk) -> None:
        """Make a wish the pass at work; nothing happens when it is not the wish any more."""
        ...

    def letters(self, target: str, *, cursor: str = "", limit: int = 50) -> tuple[list[Letter], str]:
        """Newest first; (items, next cursor)."""
        ...

    def letter_count(self, target: str) -> int:
        """How many there are."""
        ...

    def resend_letters(self, target: str, ids: Collection[str]) -> int:
        """Mark them; how many there were."""
        ...

    def forget_letters(self, ids: Collection[str]) -> None:
        """They were taken after all, or are gone."""
        ...

    def drop_letters(self, target: str, ids: Collection[str]) -> int:
        """Forget them; how many there were."""
        ...

    def wanted_letters(self, target: str, limit: int) -> list[Letter]:
        """Marked ones, oldest first."""
        ...

    def read(self, kind: ExportKind, subjects: Collection[str]) -> dict[str, Exported]:
        """The things themselves as they are now; those that are gone are missing."""
        ...

    def walk(self, kind: ExportKind, after: tuple[float, str], limit: int) -> list[tuple[tuple[float, str], Exported]]:
        """The next things behind a cursor, oldest first, each with its own cursor.

        Alerts by last activity, incidents and entries of the audit log by number, findings by id, parts of
        the score by name. What changes meanwhile comes again at its new place; nothing is left out.
        """
        ...

    def oldest_change(self) -> int:
        """Sequence number of the oldest change that is still known; 0 when there is none."""
        ...

    def lag(self, position: int) -> tuple[int, float]:
        """Changes behind a position, and when the first of them was made (Unix seconds; 0 when there is none)."""
        ...

    def forget_through(self, seq: int, *, before: float) -> int:
        """Remove changes that every target has taken and that are older than a moment; the newest stays."""
        ...
