"""Information types, one a file."""
