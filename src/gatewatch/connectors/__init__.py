"""Connectors: what playbooks do in other systems. A connector is one YAML file in `definitions`, or one module."""
