"""Exporters to other systems (comes with the export issue)."""
