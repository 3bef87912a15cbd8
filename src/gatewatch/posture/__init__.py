"""Recommendations and the findings they give."""
