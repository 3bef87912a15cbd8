"""Detectors: queries over stored observations, and the folding of their rows into alerts."""
