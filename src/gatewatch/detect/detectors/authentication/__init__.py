"""Detectors of attacks on logins."""
