"""Entry point: `gatewatch` and `python -m gatewatch`."""

from __future__ import annotations

import sys

__all__ = ["main"]


def main() -> None:
    """Run the command line; every deliberate error becomes a message with its cure and an exit code."""
    from gatewatch.cli.app import run  # noqa: PLC0415 - keeps `import gatewatch.__main__` free of typer

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
