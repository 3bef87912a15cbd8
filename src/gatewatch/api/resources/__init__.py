"""REST resources, one a file."""
