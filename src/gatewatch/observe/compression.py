"""Content codings, with a limit on what comes out."""

from __future__ import annotations

import zlib

import brotli
import zstandard

__all__ = ["decompressed"]

_MAX_CODINGS = 3
_GZIP_OR_ZLIB = 47
_CHUNK = 16_384


def decompressed(data: bytes, codings: str, *, limit: int) -> tuple[bytes, bool]:
    """(decoded octets, whether something was cut or could not be decoded).

    Codings as in Content-Encoding, undone from the last to the first. A body that claims a coding and is none comes
    back as it is: many sources hand over bodies already decoded.
    """
    cut = False
    names = [name.strip().lower() for name in codings.split(",") if name.strip()][-_MAX_CODINGS:]
    for name in reversed(names):
        decode = _DECODERS.get(name)
        if decode is None:
            continue
        try:
            data, more = decode(data, limit)
        except (zlib.error, brotli.error, zstandard.ZstdError, EOFError):
            return data[:limit], name in _MAGIC and data.startswith(_MAGIC[name])
        cut = cut or more
    return data[:limit], cut or len(data) > limit


def _inflate(data: bytes, limit: int) -> tuple[bytes, bool]:
    wbits = _GZIP_OR_ZLIB
    zlib_header = len(data) > 1 and data[0] & 15 == 8 and (data[0] << 8 | data[1]) % 31 == 0  # RFC 1950, 2.2
    if not data.startswith(b"\x1f\x8b") and not zlib_header:
        wbits = -15
    engine = zlib.decompressobj(wbits)
    out = engine.decompress(data, limit)
    return out, not engine.eof


def _unbrotli(data: bytes, limit: int) -> tuple[bytes, bool]:
    engine = brotli.Decompressor()
    out = bytearray()
    for start in range(0, len(data), 256):
        out += engine.process(data[start : start + 256])
        if len(out) > limit:
            return bytes(out[:limit]), True
    return bytes(out), not engine.is_finished()


def _unzstd(data: bytes, limit: int) -> tuple[bytes, bool]:
    reader = zstandard.ZstdDecompressor(max_window_size=1 << 27).stream_reader(data)
    out = reader.read(limit + 1)
    return out[:limit], len(out) > limit


_DECODERS = {"gzip": _inflate, "x-gzip": _inflate, "deflate": _inflate, "br": _unbrotli, "zstd": _unzstd}
_MAGIC = {"gzip": b"\x1f\x8b", "x-gzip": b"\x1f\x8b", "zstd": b"\x28\xb5\x2f\xfd"}
