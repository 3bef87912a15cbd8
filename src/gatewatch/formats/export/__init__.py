"""Formats that other systems read: each file renders one item at a time, purely."""

from __future__ import annotations

from gatewatch.formats.export.format import Context, Format, FormatMeta, Shape, all_formats

__all__ = ["Context", "Format", "FormatMeta", "Shape", "all_formats"]
