"""Durable, acknowledged intake."""
