"""Playbooks: YAML to a checked document, and its interpretation, the same for real runs and simulations."""
