"""Built-in detectors, one file and one query each; found by `plugins.discover`, no list to edit."""
