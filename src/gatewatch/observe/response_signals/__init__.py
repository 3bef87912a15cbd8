"""Signs in responses that an attack worked, one a file."""
