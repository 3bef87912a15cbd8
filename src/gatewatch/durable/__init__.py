"""Functions that survive a kill at any point: DBOS behind `ports.runs.Durable` (decision 0012)."""
