"""The gatewatch command."""
