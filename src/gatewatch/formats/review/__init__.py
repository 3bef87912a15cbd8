"""The review document of an incident: one content, three renderings."""

from __future__ import annotations

from gatewatch.formats.review.content import review_blocks
from gatewatch.formats.review.markdown import render_markdown
from gatewatch.formats.review.moments import Moments
from gatewatch.formats.review.page import render_page
from gatewatch.formats.review.pdf import render_pdf

__all__ = ["Moments", "render_markdown", "render_page", "render_pdf", "review_blocks"]
