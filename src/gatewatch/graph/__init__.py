"""The security graph (comes with the posture issue)."""
