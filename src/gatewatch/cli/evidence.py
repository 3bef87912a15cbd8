"""`gatewatch evidence`: signed bundles of everything on record about an incident."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gatewatch.cli.output import AsJson, show_json
from gatewatch.cli.remote import Ask, remote
from gatewatch.cli.reviews import OutFile, Zone, write_file

if TYPE_CHECKING:
    from gatewatch.formats.evidence import Verdict

__all__ = ["app"]

app = typer.Typer(name="evidence", help="Evidence bundles of incidents.", no_args_is_help=True)
_LONG_S = 600.0
_NOT_INTACT = 11


@app.command("export")
@remote
def export(
    ask: Ask,
    incident_id: Annotated[int, typer.Argument(help="Number of the incident.")],
    out: OutFile,
    zone: Zone = "UTC",
) -> None:
    """Write the signed bundle, a zip; the audit log keeps who took it."""
    from hashlib import sha256

    path = f"/v1/incidents/{incident_id}/evidence"
    data = ask.server.content("GET", path, parameters={"timezone": zone}, timeout_s=_LONG_S)
    write_file(out, data)
    found = {"file": str(out), "octets": len(data), "sha256": sha256(data).hexdigest()}
    ask.tell(found, f"{out}: {len(data)} octets, SHA-256 {found['sha256']}")


@app.command("verify")
def verify(
    file: Annotated[Path, typer.Argument(help="The bundle.", exists=True, dir_okay=False, readable=True)],
    key: Annotated[
        str, typer.Option("--key", help="Whole fingerprint of the key it has to be signed with, or its PEM file.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Check a bundle offline: signature, every file, digests. Exit code 0 when intact, 11 when not."""
    from gatewatch.formats.evidence import verify as check

    expected = _fingerprint(key)
    with file.open("rb") as source:
        verdict = check(source, expected_key=expected)
    if as_json:
        show_json(verdict)
    else:
        _show(verdict, expected)
    if not verdict.intact:
        raise typer.Exit(_NOT_INTACT)


def _fingerprint(key: str) -> str:
    from gatewatch.errors import InputError
    from gatewatch.formats.evidence import fingerprint, read_public
    from gatewatch.formats.evidence.keys import read_fingerprint

    if not key:
        return ""
    path = Path(key)
    try:
        pem = path.read_bytes() if path.is_file() else None
    except OSError as error:
        raise InputError(f"can't read {key}: {error.strerror}") from error
    return read_fingerprint(key) if pem is None else fingerprint(read_public(pem))


def _show(verdict: Verdict, expected: str) -> None:
    from gatewatch.formats.review.blocks import clean

    manifest = verdict.manifest
    typer.echo("INTACT" if verdict.intact else f"NOT INTACT: {len(verdict.faults)} faults")
    for fault in verdict.faults:
        typer.echo(clean(f"  {fault.code}: {fault.file + ' ' if fault.file else ''}{fault.text}"))
    if manifest is not None:
        made = f"incident {manifest.incident}, made {manifest.made_at} by {manifest.made_by} with {manifest.software}"
        typer.echo(clean(made))
        typer.echo(f"{verdict.files} files and {verdict.activities} entries of the audit log were looked at")
        if manifest.observations_missing:
            typer.echo(f"{len(manifest.observations_missing)} calls named as evidence were not stored any more")
    if verdict.key and not expected:
        typer.echo(f"signed with key {verdict.key}")
        typer.echo(
            "  The key came with the bundle, so this proves only that nothing was changed since somebody signed it.\n"
            "  Compare it with the fingerprint that the installation shows (GET /v1/signing-key), or give --key."
        )
    elif verdict.key_expected:
        typer.echo(f"signed with the key that was asked for, {verdict.key}")
