"""TLS as every way out uses it."""

from __future__ import annotations

import ssl

from gatewatch.errors import ConfigurationError

__all__ = ["tls_context"]


def tls_context(ca_file: str) -> ssl.SSLContext:
    """Verifying, TLS 1.2 or newer. Raises ConfigurationError for a file that holds no certificates."""
    try:
        context = ssl.create_default_context(cafile=ca_file or None)
    except OSError as error:
        raise ConfigurationError(f"can't use the certificates in {ca_file}: {type(error).__name__}") from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
