"""The demo: a real Envoy, a weak shop, customers and attackers, and what Gatewatch makes of them."""
