"""Recommendations, one a file."""
