"""Alerts and incidents as Microsoft's security APIs show them (Graph security, Defender XDR incidents)."""
