"""Settings: files, environment and their validation."""
