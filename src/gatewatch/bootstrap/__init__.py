"""Puts the parts together; the only importer of concrete adapters."""
