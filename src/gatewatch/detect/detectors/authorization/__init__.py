"""Detectors of access to other people's objects."""
