"""What is written for nginx is told to it, whatever comes between."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.gateway_rigs.nginx import NginxRig
from tests.gateway_rigs.rig import BAD, eventually

from gatewatch.gateways import _programs
from gatewatch.ports.gateways import GatewayAwayError


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[NginxRig]:
    with NginxRig(tmp_path) as made:
        yield made


class _Killed(BaseException):
    """Nothing catches it, as nothing catches SIGKILL."""


@pytest.mark.parametrize("end", [_Killed, GatewayAwayError("no such process")])
def test_a_reload_that_was_cut_off_is_made_up_for(
    end: type[BaseException] | BaseException, rig: NginxRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ending(pid: int) -> None:
        raise end

    with monkeypatch.context() as broken:
        broken.setattr(_programs, "hang_up", ending)
        with pytest.raises(end if isinstance(end, type) else GatewayAwayError):
            rig.gateway().apply(rig.samples)
    assert rig.status(BAD) == 200
    agreement = rig.gateway().apply(rig.samples)
    assert agreement.complete and agreement.in_force
    eventually(lambda: rig.status(BAD), 403)


def test_a_reload_that_nginx_could_not_do_is_asked_for_again(rig: NginxRig, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may fail what the test of its configuration does not try, such as to bind a port."""
    with monkeypatch.context() as broken:
        broken.setattr(_programs, "hang_up", lambda pid: pid)
        broken.setattr("gatewatch.gateways.nginx._LOADED_S", 0.1)
        assert rig.gateway().apply(rig.samples).missing
    assert rig.gateway().apply(rig.samples).complete
    eventually(lambda: rig.status(BAD), 403)
