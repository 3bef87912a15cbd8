"""Detectors of unusual amounts."""
