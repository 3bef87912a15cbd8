"""From the journal through worker processes into the stores, every transaction counted."""
