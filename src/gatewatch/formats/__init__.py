"""Export formats (comes with the export issue)."""
