"""Address lists: threat intelligence, Tor exits, facts about networks. Read, flattened, reloaded when they change."""

from __future__ import annotations

from gatewatch.services.lists.flattening import AddressRange, flatten
from gatewatch.services.lists.parsing import parse_ip_info_csv, parse_maxmind, parse_threat_list
from gatewatch.services.lists.reloading import AddressLists

__all__ = ["AddressLists", "AddressRange", "flatten", "parse_ip_info_csv", "parse_maxmind", "parse_threat_list"]
