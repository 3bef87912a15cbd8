"""Gateways that can be told to block (comes with the containment issue)."""
