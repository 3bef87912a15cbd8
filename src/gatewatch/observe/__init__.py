"""From a transaction to an observation. Payload and credentials end here."""
