"""Sources: taking input, the ledger, dead letters."""

from __future__ import annotations

import gzip
import io
import zlib
from typing import Annotated

import zstandard
from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, Field

from gatewatch.api.context import Cursor, Limit, Part, Services, answer, page, requires, whole
from gatewatch.api.problems import TooLargeError
from gatewatch.errors import InputError
from gatewatch.formats.records import ledger_record, rfc3339
from gatewatch.ports.control import Role

__all__ = ["router"]

router = APIRouter(tags=["sources"])
_NAME = r"^[A-Za-z0-9_.-]{1,64}$"
_ZSTD_WINDOW = 1 << 27
"""128 MiB, what `zstd --long=27` writes."""
_ZSTD_PIECE = 1024
"""Octets fed at once: a block is at least 4 and unpacks to at most 128 KiB (RFC 8878 3.1.1.2): 32 MiB a step."""


class LetterIds(BaseModel):
    """Dead letters by id."""

    ids: list[str] = Field(min_length=1, max_length=1000)


@router.post("/v1/ingest", status_code=202, summary="Send transactions", dependencies=[Depends(requires(Role.INGEST))])
async def ingest(
    request: Request,
    services: Services,
    source: Annotated[str, Query(pattern=_NAME, description="Name the ledger counts under.")] = "ingest",
    format_name: Annotated[str, Query(alias="format", pattern=_NAME)] = "ndjson",
) -> Response:
    """Gatewatch NDJSON, plain, gzip or zstd.

    The answer means that all of it is durable; wrong lines are rejected later, located, and kept as dead letters.
    """
    limit = services.settings.max_request_bytes
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise TooLargeError(f"more than {limit} octets", cure="Send smaller batches.")
    coding = request.headers.get("content-encoding", "").strip().lower()
    plain = await run_in_threadpool(_plain, bytes(body), coding, limit)
    accepted = await run_in_threadpool(services.ingest.accept, source, format_name, plain)
    response = answer(request, {"accepted": accepted})
    response.status_code = 202
    return response


def _plain(body: bytes, coding: str, limit: int) -> bytes:
    try:
        if coding in ("gzip", "x-gzip"):
            plain = gzip.GzipFile(fileobj=io.BytesIO(body)).read(limit + 1)
        elif coding == "zstd":
            plain = _unpacked_zstd(body, limit)
        elif coding in ("", "identity"):
            plain = body
        else:
            raise InputError(f"content-encoding `{coding[:32]}` is not understood", cure="Use gzip, zstd or none.")
    except (OSError, EOFError, zlib.error, zstandard.ZstdError) as error:
        raise InputError(f"the body is not {coding}", cure="Check Content-Encoding; nothing was taken.") from error
    if len(plain) > limit:
        raise TooLargeError(f"more than {limit} octets when unpacked", cure="Send smaller batches.")
    return plain


def _unpacked_zstd(body: bytes, limit: int) -> bytes:
    """All frames; at most a little more than `limit` octets. Raises EOFError when the last frame is cut off.

    The stream reader of the library stops silently at the end of the first frame and at a cut.
    """
    unpacker = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW)
    plain, frame, at = bytearray(), unpacker.decompressobj(), 0
    while at < len(body) and len(plain) <= limit:
        if frame.eof:
            frame = unpacker.decompressobj()
        piece = body[at : at + _ZSTD_PIECE]
        plain += frame.decompress(piece)
        at += len(piece) - len(frame.unused_data)
    if body and not frame.eof and len(plain) <= limit:
        raise EOFError("the last frame is cut off")
    return bytes(plain)


@router.get("/v1/sources", summary="Formats that can be read", dependencies=[Depends(requires(Role.VIEWER))])
def sources(request: Request, services: Services, part: Part) -> Response:
    """Each with the evidence it can carry."""
    items = [
        {
            "id": format_.meta.id,
            "title": format_.meta.title,
            "description": format_.meta.description,
            "evidence": [bit.name.lower() for bit in format_.meta.evidence if bit.name],
        }
        for format_ in services.formats.values()
    ]
    return whole(request, items, part)


@router.get("/v1/ledger", summary="What became of everything received", dependencies=[Depends(requires(Role.VIEWER))])
def ledger(request: Request, services: Services, part: Part) -> Response:
    """Per source: received = observed + duplicate + rejected + in flight."""
    return whole(request, [ledger_record(entry) for entry in services.ledger()], part)


@router.get("/v1/dead-letters", summary="Rejected input", dependencies=[Depends(requires(Role.ANALYST))])
def dead_letters(
    request: Request, services: Services, source: str = "", cursor: Cursor = "", limit: Limit = 50
) -> Response:
    """Reason and position, never the content."""
    letters = list(services.letters.list(source=source or None, after=cursor, limit=limit + 1))
    items = [
        {
            "id": letter.id,
            "source": letter.source,
            "format": letter.format,
            "received_at": rfc3339(letter.received_at),
            "reason": letter.rejection.reason.value,
            "detail": letter.rejection.detail,
            "line": letter.rejection.line,
            "column": letter.rejection.column,
        }
        for letter in letters[:limit]
    ]
    return page(request, items, letters[limit - 1].id if len(letters) > limit else "")


@router.post("/v1/dead-letters/resubmit", dependencies=[Depends(requires(Role.RESPONDER))])
def resubmit(request: Request, services: Services, wanted: LetterIds) -> Response:
    """Send letters through the pipeline again."""
    return answer(request, {"resubmitted": services.ingest.resubmit(wanted.ids)})


@router.post("/v1/dead-letters/drop", dependencies=[Depends(requires(Role.ADMIN))])
def drop(request: Request, services: Services, wanted: LetterIds) -> Response:
    """Forget letters."""
    return answer(request, {"dropped": services.letters.drop(wanted.ids)})
