"""The web portal's static files (comes with the portal issue)."""
