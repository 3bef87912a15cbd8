"""Detectors that read attack patterns seen in values."""
