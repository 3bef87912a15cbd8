"""Builders and fakes for tests, of Gatewatch and of its plugins."""
