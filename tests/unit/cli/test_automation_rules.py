from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gatewatch.cli.app import run
from gatewatch.cli.rest import Server
from gatewatch.errors import NotFoundError

PLAYBOOKS = {
    "there": {"inputs": {"most": {}}, "enabled": True, "staging": False},
    "staged": {"inputs": {}, "enabled": True, "staging": True},
    "resting": {"inputs": {}, "enabled": False, "staging": True},
}
WARNED = {
    "there, inputs: {most: 5}": "",
    "gone": "warning: r starts the playbook gone, which is not there\n",
    "resting": "warning: r starts the playbook resting, which is off\n",
    "staged": "warning: r starts the playbook staged, which is in staging: its runs are simulations\n",
    "there, inputs: {b: 1, a: 1}": "warning: r starts the playbook there, which knows no input a, b\n",
}


def call(_: Server, method: str, path: str, *, body: Any = None, **__: Any) -> Any:
    if method == "POST":
        return {"items": body["document"]}
    name = path.removeprefix("/v1/playbooks/")
    if name not in PLAYBOOKS:
        raise NotFoundError(f"no playbook {name}")
    return PLAYBOOKS[name]


@pytest.mark.parametrize("playbook", WARNED)
def test_a_rule_whose_playbook_can_not_be_started_is_told_when_it_is_made(
    playbook: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Server, "call", call)
    file = tmp_path / "rules.yaml"
    file.write_text(
        "name: r\ntitle: R\ntrigger: {on: incident_created}\nconditions: ['incident.open']\n"
        f"actions: [{{do: run_playbook, playbook: {playbook}}}]\n"
    )
    assert run(["automation-rules", "apply", str(file)]) == 0
    told = capsys.readouterr()
    assert (told.out, told.err) == ("r is applied\n", WARNED[playbook])
