"""Detectors that know addresses from lists."""
