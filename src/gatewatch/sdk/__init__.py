"""Middleware that sends an application's own traffic to Gatewatch; stands alone, on the standard library only."""

from __future__ import annotations

from gatewatch.sdk.asgi import GatewatchAsgi
from gatewatch.sdk.sending import Sender
from gatewatch.sdk.wsgi import GatewatchWsgi

__all__ = ["GatewatchAsgi", "GatewatchWsgi", "Sender"]
