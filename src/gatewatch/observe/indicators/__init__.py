"""Attack indicators, one class of attack a file."""
