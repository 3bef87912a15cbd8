"""What can go wrong on the way out."""

from __future__ import annotations

from gatewatch.errors import GatewatchError

__all__ = ["EgressError", "RefusedError", "SecretError"]


class EgressError(GatewatchError):
    """There is no answer, or none that can be used. The text names the host, never the rest of an address."""

    code = "egress"

    def __init__(self, message: str, *, sent: bool, for_good: bool = False, cure: str = "") -> None:
        """`sent`: the other side may have seen the request, so it may have had its effect.

        `for_good`: the same request will never be taken.
        """
        super().__init__(message, cure=cure)
        self.sent, self.for_good = sent, for_good


class RefusedError(EgressError):
    """The guard kept the request here."""

    code = "egress-refused"

    def __init__(self, message: str, *, cure: str = "") -> None:
        """Nothing was sent."""
        super().__init__(message, sent=False, for_good=True, cure=cure)


class SecretError(EgressError):
    """A secret can't be read; the text names its reference, never a value."""

    code = "secret"

    def __init__(self, message: str, *, cure: str = "") -> None:
        """Nothing was sent."""
        super().__init__(message, sent=False, cure=cure)
