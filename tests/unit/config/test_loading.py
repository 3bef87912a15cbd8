"""Settings from files and the environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from gatewatch.config.loading import load
from gatewatch.errors import ConfigurationError


def test_the_environment_sets_what_the_file_does_not(tmp_path: Path) -> None:
    file = tmp_path / "gatewatch.toml"
    file.write_text("[api]\nport = 1\n[detect]\ntick_s = 3\n")
    settings = load(file, environment={"GATEWATCH_API__PORT": "9000", "PATH": "/bin"})
    assert (settings.api.port, settings.detect.tick_s) == (9000, 3.0)


def test_a_variable_that_is_no_setting_is_named() -> None:
    with pytest.raises(ConfigurationError, match="unknown field `prot`"):
        load(environment={"GATEWATCH_API__PROT": "1"})


def test_a_secret_may_be_called_as_it_likes(tmp_path: Path) -> None:
    file = tmp_path / "gatewatch.toml"
    file.write_text(
        '[[connections]]\nname = "jira"\nconnector = "jira_cloud"\nurl = "https://x.example"\n'
        '[connections.secrets]\ntoken = "env:GATEWATCH_JIRA"\n'
    )
    settings = load(file, environment={"GATEWATCH_JIRA": "s3cret", "GATEWATCH_TOKEN": "of the command line"})
    assert settings.connections[0].secrets == {"token": "env:GATEWATCH_JIRA"}
