"""What formats with one transaction a line share: cutting, counting, limits."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from typing import BinaryIO

from gatewatch.model.rejection import Rejection, RejectionReason
from gatewatch.model.transaction import Transaction
from gatewatch.ports.wire import Origin, WireFormat

__all__ = ["LineFormat"]

MAX_LINE_BYTES = 8 * 1024 * 1024
_BOM = b"\xef\xbb\xbf"


class LineFormat(WireFormat):
    """A format whose transactions are lines; blank lines do not count."""

    def payloads(self, stream: BinaryIO, *, max_bytes: int) -> Iterator[tuple[bytes, int]]:
        """Whole lines, about `max_bytes` at a time."""
        first = 1
        while True:
            block = stream.read(max_bytes)
            if not block:
                return
            if not block.endswith(b"\n"):
                block += stream.readline()
            yield block, first
            first += block.count(b"\n")

    def count(self, payload: bytes) -> int:
        """Non-blank lines."""
        return sum(1 for line in _body(payload).split(b"\n") if line and not line.isspace())

    def decode(self, payload: bytes, origin: Origin) -> Iterator[Transaction | Rejection]:
        """One result per non-blank line."""
        number = origin.first_line - 1
        for line in _body(payload).split(b"\n"):
            number += 1
            if not line or line.isspace():
                continue
            if len(line) > MAX_LINE_BYTES:
                yield Rejection(
                    reason=RejectionReason.TOO_LARGE,
                    detail=f"the line has {len(line)} octets, more than {MAX_LINE_BYTES}",
                    line=number,
                    raw=line[:4096],
                )
            else:
                yield self.read_line(line, number, origin)

    @abstractmethod
    def read_line(self, line: bytes, number: int, origin: Origin) -> Transaction | Rejection:
        """The transaction of one line, or why there is none. Must not raise."""


def _body(payload: bytes) -> bytes:
    return payload.removeprefix(_BOM)


def refuse(reason: RejectionReason, detail: str, number: int, line: bytes, column: int = 0) -> Rejection:
    """A located rejection that keeps the line."""
    return Rejection(reason=reason, detail=detail, line=number, column=column, raw=line)
