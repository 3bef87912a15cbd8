"""Alerts to incidents (comes with the incidents issue)."""
