"""Middleware that sends an application's own traffic to Gatewatch; stands alone, on the standard library only."""
