"""A small shop API with deliberate weaknesses, for the demo and the tests. Never expose it."""
