"""Adapters that turn one wire format into transactions."""
