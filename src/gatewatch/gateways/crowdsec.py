"""CrowdSec's local API: decisions that every bouncer of the user's enforces."""

from __future__ import annotations

import re
from collections import defaultdict
from datetime import UTC, datetime
from typing import Any, ClassVar

import msgspec

from gatewatch.errors import ConfigurationError
from gatewatch.gateways._desired import EntryGateway
from gatewatch.gateways._http import Http, HttpSettings
from gatewatch.gateways._secrets import SecretReference, resolve
from gatewatch.model.containment import Effect, ScopeKind
from gatewatch.model.enforcement import Enforcement, mark, network_of
from gatewatch.ports.gateways import Ability, GatewayAwayError, GatewayMeta, RefusedError, Site

__all__ = ["CrowdSec", "CrowdSecSettings"]

_ADDRESSES = (ScopeKind.ADDRESS, ScopeKind.RANGE)
_TYPES = {Effect.BLOCK: "ban", Effect.CHALLENGE: "captcha", Effect.THROTTLE: "throttle"}
_SCENARIO = re.compile(r"gatewatch/([a-z0-9-]{1,40})/([0-9a-f]{10})")
_TOKEN_S = 600.0
"""A token is good for an hour."""
_Decision = tuple[str, str, str, str]
"""Scenario, type, scope, value."""


class CrowdSecSettings(HttpSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of one local API."""

    url: str = "http://127.0.0.1:8080"
    machine: str
    """`cscli machines add gatewatch --password …`"""
    password: SecretReference


class CrowdSec(EntryGateway):
    """Decisions of origin `gatewatch`; those of CrowdSec itself and of people stay."""

    meta: ClassVar[GatewayMeta] = GatewayMeta(
        id="crowdsec",
        title="CrowdSec",
        description="Alerts with decisions, pushed to the local API as a machine. Every bouncer that pulls acts.",
        abilities=(
            Ability(effect=Effect.BLOCK, scopes=_ADDRESSES, note="type `ban`"),
            Ability(
                effect=Effect.CHALLENGE, scopes=_ADDRESSES, note="type `captcha`; bouncers without one ban or skip"
            ),
            Ability(
                effect=Effect.THROTTLE,
                scopes=_ADDRESSES,
                note="type `throttle`, for bouncers that know it; how many calls is theirs to know",
            ),
        ),
        enforces="decisions of the local API",
        delay="when bouncers pull, 10 s by default",
        settles_s=30.0,
        after_restart="Everything: decisions are stored.",
        expires_itself=True,
        setup="A machine account: `cscli machines add gatewatch --auto`.",
        references=("https://docs.crowdsec.net/docs/local_api/intro", "https://crowdsecurity.github.io/api_doc/lapi/"),
    )
    settings: ClassVar[type[msgspec.Struct]] = CrowdSecSettings

    def __init__(self, settings: Any, site: Site) -> None:
        """Opens nothing."""
        self._given: CrowdSecSettings = settings
        if not settings.machine:
            raise ConfigurationError(
                "crowdsec needs the name of a machine", cure="`cscli machines add gatewatch --auto`"
            )
        self._site, self._http = site, Http(settings)
        self._token, self._token_until = "", 0.0

    def close(self) -> None:
        """Close connections."""
        self._http.close()

    def _render(self, wanted: Enforcement) -> tuple[_Decision, ...]:
        network = network_of(wanted.scope)
        single = network is not None and network.num_addresses == 1
        value = str(network.network_address if single else network) if network else ""
        scenario = f"gatewatch/{wanted.id}/{mark(wanted)}"
        return ((scenario, _TYPES[wanted.effect], "Ip" if single else "Range", value),)

    def _read(self) -> dict[str, tuple[_Decision, ...]]:
        found: dict[str, set[_Decision]] = defaultdict(set)
        for entry_id, _, decision in self._decisions():
            found[entry_id].add(decision)
        return {one: tuple(sorted(decisions)) for one, decisions in found.items()}

    def _put(self, wanted: Enforcement, entry: tuple[_Decision, ...], *, known: bool) -> None:
        left_s = wanted.expires_at - self._site.clock.now()
        self._call("POST", "/v1/alerts", body=[self._alert(decision, left_s) for decision in entry])
        if known:
            self._drop_all(wanted.id, keep=set(entry))

    def _drop(self, entry_id: str) -> None:
        self._drop_all(entry_id, keep=set())

    def _drop_all(self, entry_id: str, keep: set[_Decision]) -> None:
        for one, number, decision in self._decisions():
            if one == entry_id and decision not in keep:
                self._call("DELETE", f"/v1/decisions/{number}", accept=(404, 500))

    def _decisions(self) -> list[tuple[str, int, _Decision]]:
        """(our id, CrowdSec's number, decision) of the active ones."""
        path = "/v1/alerts?origin=gatewatch&has_active_decision=true&include_capi=false&limit=0"
        alerts = self._call("GET", path) or []
        found = []
        for decision in (one for alert in alerts for one in alert.get("decisions") or ()):
            match = _SCENARIO.fullmatch(str(decision.get("scenario", "")))
            if match and not str(decision.get("duration", "-")).startswith("-"):
                told = (match.group(0), decision["type"], decision["scope"], decision["value"])
                found.append((match.group(1), int(decision["id"]), told))
        return found

    def _alert(self, decision: _Decision, left_s: float) -> dict[str, Any]:
        """Every member that the API asks for; nothing of the incident: decisions travel to every bouncer."""
        scenario, kind, scope, value = decision
        now = datetime.fromtimestamp(self._site.clock.now(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        told = {"origin": "gatewatch", "type": kind, "scope": scope, "value": value, "scenario": scenario}
        return {
            "scenario": scenario,
            "scenario_hash": "",
            "scenario_version": "",
            "message": "contained by Gatewatch",
            "events_count": 1,
            "start_at": now,
            "stop_at": now,
            "capacity": 0,
            "leakspeed": "0",
            "simulated": False,
            "events": [],
            "source": {"scope": scope, "value": value},
            "decisions": [told | {"duration": f"{max(1, round(left_s))}s"}],
        }

    def _call(self, method: str, path: str, *, body: object = None, accept: tuple[int, ...] = ()) -> Any:
        """With a token; a token that is not taken any more is asked for anew, once."""
        for fresh in (False, True):
            headers = {"authorization": f"Bearer {self._login(fresh=fresh)}"}
            found = self._http.call(method, path, body=body, headers=headers, accept=(401, *accept))
            if found.status != 401:
                return found.json()
        raise GatewayAwayError("CrowdSec takes our login and refuses its token")

    def _login(self, *, fresh: bool) -> str:
        now = self._site.clock.now()
        if fresh or now >= self._token_until:
            asked = {"machine_id": self._given.machine, "password": resolve(self._given.password), "scenarios": []}
            try:
                answer = self._http.call("POST", "/v1/watchers/login", body=asked).json()
            except RefusedError as error:
                raise GatewayAwayError(
                    error.message, cure="Check machine and password: `cscli machines list`"
                ) from error
            self._token, self._token_until = str((answer or {}).get("token", "")), now + _TOKEN_S
        return self._token
