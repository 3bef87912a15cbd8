"""Fonts of the PDF: DejaVu Sans lies beside; what it lacks goes to the reader's Asian fonts or is written as codes."""

from __future__ import annotations

from functools import lru_cache
from html import escape
from importlib.resources import as_file, files
from itertools import groupby

from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.pdfmetrics import registerFont
from reportlab.pdfbase.ttfonts import TTFont

__all__ = ["BOLD", "MONO", "PLAIN", "marked", "runs"]

PLAIN, BOLD, MONO = "GatewatchSans", "GatewatchSans-Bold", "GatewatchMono"
_FILES = {PLAIN: "DejaVuSans.ttf", BOLD: "DejaVuSans-Bold.ttf", MONO: "DejaVuSansMono.ttf"}
_HAN, _KANA, _HANGUL = "STSong-Light", "HeiseiKakuGo-W5", "HYGothic-Medium"
"""Adobe's names for fonts that every PDF reader substitutes; nothing of them is embedded."""
_RANGES = (
    (0x3040, 0x30FF, _KANA),
    (0x31F0, 0x31FF, _KANA),
    (0x1100, 0x11FF, _HANGUL),
    (0xAC00, 0xD7AF, _HANGUL),
    (0x2E80, 0x9FFF, _HAN),
    (0xF900, 0xFAFF, _HAN),
    (0xFF00, 0xFFEF, _HAN),
)


@lru_cache(maxsize=1)
def _coverage() -> dict[str, frozenset[int]]:
    """Registers the fonts once per process; which characters each of ours has."""
    found: dict[str, frozenset[int]] = {}
    for name, file in _FILES.items():
        with as_file(files("gatewatch.formats").joinpath("fonts", file)) as path:
            font = TTFont(name, str(path))
        registerFont(font)
        found[name] = frozenset(font.face.charToGlyph)
    for name in (_HAN, _KANA, _HANGUL):
        registerFont(UnicodeCIDFont(name))
    return found


def runs(text: str, *, bold: bool = False, mono: bool = False) -> list[tuple[str, str]]:
    r"""(font, text) pieces; a character that no font has becomes `\u0e01`."""
    wanted = MONO if mono else BOLD if bold else PLAIN
    pieces = [_placed(character, wanted) for character in text]
    return [(font, "".join(part for _, part in group)) for font, group in groupby(pieces, key=lambda piece: piece[0])]


def _placed(character: str, wanted: str) -> tuple[str, str]:
    code = ord(character)
    coverage = _coverage()
    for font in (wanted, PLAIN):
        if code in coverage[font]:
            return font, character
    for first, last, font in _RANGES:
        if first <= code <= last:
            return font, character
    return wanted, f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def marked(text: str, *, bold: bool = False, mono: bool = False) -> str:
    """Markup of a paragraph in which every piece names its font."""
    wanted = MONO if mono else BOLD if bold else PLAIN
    return "".join(
        escape(piece, quote=False)
        if font == wanted and not mono
        else f'<font name="{font}">{escape(piece, quote=False)}</font>'
        for font, piece in runs(text, bold=bold, mono=mono)
    )
