"""The second half of the demo: rule, playbook, approval by mail, block on the gateway, and what traffic says of it."""

from __future__ import annotations

import re
import time
from email.message import Message
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import httpx
from examples.demo.parts import Parts
from examples.demo.traffic import CHAIN_ADDRESSES
from examples.demo.waiting import until
from examples.shop.app import token_for
from examples.shop.data import PRODUCTS
from rich.console import Console

__all__ = ["arrange", "respond"]

_PLAYBOOK = Path(__file__).with_name("stop-the-intruder.yaml")
_RULE = {
    "title": "Whoever got in with a stolen password, from more than one address",
    "trigger": {"on": "incident_updated"},
    "conditions": [
        # Every change of it is an update: that it was contained or resolved, too.
        'incident.open && incident.priority >= 70 && !("contained" in incident.tags)',
        '"API_CredentialStuffing" in incident.alert_types && "API_ParameterEnumeration" in incident.alert_types',
        'size(entities.filter(e, e.kind == "address")) >= 2',
    ],
    "actions": [{"do": "add_tags", "tags": ["intruder"]}, {"do": "run_playbook", "playbook": "stop-the-intruder"}],
}
_LINK = re.compile(r"/v1/answers#([0-9a-f]{64})")
_SETTLE_S = 8.0


def _client(parts: Parts) -> httpx.Client:
    return httpx.Client(base_url=parts.api, headers={"authorization": f"Bearer {parts.token}"}, timeout=120)


def arrange(parts: Parts) -> None:
    """Before anything happens: the playbook is saved, promoted and switched on, the rule made."""
    with _client(parts) as client:
        text = _PLAYBOOK.read_text()
        client.put("/v1/playbooks/stop-the-intruder", json={"text": text}).raise_for_status()
        for verb in ("promote", "enable"):
            client.post(f"/v1/playbooks/stop-the-intruder/{verb}").raise_for_status()
        client.put("/v1/automation-rules/intruder", json=_RULE).raise_for_status()


def _approve(parts: Parts, mail: Message) -> str:
    """What the person on call does: opens the link of the mail and presses the button."""
    body = mail.get_body(("plain",)) if hasattr(mail, "get_body") else None
    tokens = _LINK.findall(body.get_content() if body is not None else mail.as_string())
    with httpx.Client(base_url=parts.api, timeout=120) as nobody:
        for token in tokens:
            seen = nobody.post("/v1/answers/seen", json={"token": token}).raise_for_status().json()
            if seen["option"] == "approve":
                nobody.post("/v1/answers", json={"token": token, "note": "yes"}).raise_for_status()
                return str(seen["question"]["text"]) if "question" in seen else str(seen.get("text", ""))
    return ""


def _orders(count: int) -> list[str]:
    """Other people's, one after the other: what the intruder is after."""
    return [f"/api/orders/{2500 + number}" for number in range(count)]


def _window_shopping(count: int) -> list[str]:
    """What a customer does: a few things, again and again. A walk through orders would be an alert, and rightly."""
    return [f"/api/products/{slug}" for slug in islice(cycle(islice(PRODUCTS, 3)), count)]


def _calls(parts: Parts, addresses: list[str], user: int, paths: list[str], *, pause_s: float = 0.0) -> dict[int, int]:
    """Statuses of calls through Envoy."""
    statuses: dict[int, int] = {}
    with httpx.Client(base_url=parts.gateway, timeout=120) as client:
        for number, path in enumerate(paths):
            headers = {
                "host": "shop.example",
                "x-forwarded-for": addresses[number % len(addresses)],
                "authorization": f"Bearer {token_for(user)}",
                "user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0",
            }
            status = client.get(path, headers=headers).status_code
            statuses[status] = statuses.get(status, 0) + 1
            time.sleep(pause_s)
    return statuses


class _Story:
    """Says what happened, and remembers whether all of it was right."""

    def __init__(self, console: Console) -> None:
        self._console, self.good = console, True

    def tell(self, good: object, text: str) -> bool:
        mark = "[green]yes[/]" if good else "[red]NO[/] "
        self._console.print(f"  {mark} {text}", highlight=False)
        self.good = self.good and bool(good)
        return bool(good)


def respond(parts: Parts, incident: int, console: Console) -> bool:
    """From the approval to the review; whether everything went as it should."""
    console.print("\n[bold]The answer[/]")
    story = _Story(console)
    with _client(parts) as client:
        runs = until(lambda: _items(client, f"/v1/incidents/{incident}/runs")) or []
        story.tell(runs, "the rule `intruder` started the playbook `stop-the-intruder`")
        if runs:
            _act(parts, client, incident, runs[0]["id"], story)
    return story.good


def _act(parts: Parts, client: httpx.Client, incident: int, run: str, story: _Story) -> None:
    mails = until(lambda: parts.desk.mails)
    tickets = ", ".join([one["number"] for one in parts.desk.incidents] + list(parts.desk.issues))
    story.tell(parts.desk.incidents and parts.desk.issues, f"tickets were opened in both systems: {tickets}")
    story.tell(mails, "the person on call got a mail with the plan and links to answer")
    if not mails:
        return
    asked = _approve(parts, mails[0])
    story.tell(asked, f"approved by mail: {asked}")
    ended = until(lambda: _over(client, run)) or {}
    story.tell(ended.get("state") == "succeeded", f"the run succeeded {ended.get('error') or ''}")
    # A run does not wait for ever for a gateway: it may end before the last block is confirmed.
    until(lambda: {_address(one) for one in _in_force(client, incident)} == CHAIN_ADDRESSES)
    blocks = _in_force(client, incident)
    blocked = {_address(one) for one in blocks}
    story.tell(blocked == CHAIN_ADDRESSES, f"in force on Envoy: {', '.join(sorted(blocked))}")
    _prove(parts, client, story, [one["id"] for one in blocks])
    _recover(parts, client, incident, story, [one["id"] for one in blocks])


def _prove(parts: Parts, client: httpx.Client, story: _Story, blocks: list[str]) -> None:
    # For longer than Envoy may take to settle: what it does meanwhile counts for nothing.
    tried = _calls(parts, sorted(CHAIN_ADDRESSES), 583, _orders(40), pause_s=0.15)
    story.tell(tried == {403: 40}, f"the intruder tries again: {tried}")
    others = _calls(parts, ["198.51.100.7", "192.0.2.17"], 26, _window_shopping(40))
    story.tell(403 not in others, f"customers meanwhile: {others}")

    def measured() -> list[dict[str, Any]]:
        found = [client.get(f"/v1/containments/{one}").raise_for_status().json() for one in blocks]
        return found if all(one["verdict"] != "measuring" for one in found) else []

    for one in until(measured) or []:
        fell, refused = one["measured"]["fell_by"], one["measured"]["refused"]
        story.tell(
            one["verdict"] == "worked",
            f"measured: {one['plan']['scope']['value']} {one['verdict']}, the attack fell by"
            f" {'?' if fell is None else format(fell, '.0%')}, {refused} calls of others refused",
        )


def _recover(parts: Parts, client: httpx.Client, incident: int, story: _Story, blocks: list[str]) -> None:
    for one in blocks:
        reason = {"reason": "the account is locked, the password reset"}
        client.post(f"/v1/containments/{one}/rollback", json=reason).raise_for_status()

    def removed() -> bool:
        found = [client.get(f"/v1/containments/{one}").raise_for_status().json() for one in blocks]
        return all(one["removed_at"] for one in found)

    gone = until(removed)
    back = _calls(parts, sorted(CHAIN_ADDRESSES), 26, _window_shopping(6))
    story.tell(gone and 403 not in back, f"rolled back and verified: {back}")
    done = {"status": "resolved", "classification": "true_positive", "determination": "compromised_account"}
    solved = client.patch(f"/v1/incidents/{incident}", json=done).raise_for_status().json()
    story.tell(solved["status"] == "resolved", "the incident is resolved")
    client.post(f"/v1/incidents/{incident}/review/draft").raise_for_status()
    paper = client.get(f"/v1/incidents/{incident}/review/document", params={"format": "md"}).raise_for_status()
    place = parts.directory / "review.md"
    place.write_bytes(paper.content)
    story.tell(b"contain" in paper.content.lower(), f"the review is written: {place}")
    time.sleep(_SETTLE_S)
    now = client.get(f"/v1/incidents/{incident}").raise_for_status().json()["status"]
    accused = _items(client, "/v1/alerts?actor=user-26")
    story.tell(now == "resolved" and not accused, "it stays resolved, and the customer is in no alert")
    waiting = _items(client, "/v1/questions?open=true")
    story.tell(not waiting, "nobody is asked again")


def _in_force(client: httpx.Client, incident: int) -> list[dict[str, Any]]:
    return _items(client, f"/v1/containments?incident={incident}&state=in_force")


def _address(containment: dict[str, Any]) -> str:
    found: str = containment["plan"]["scope"]["value"]
    return found


def _over(client: httpx.Client, run: str) -> dict[str, Any] | None:
    found: dict[str, Any] = client.get(f"/v1/runs/{run}").raise_for_status().json()
    return found if found["state"] in ("succeeded", "failed", "refused", "cancelled") else None


def _items(client: httpx.Client, path: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.get(path).raise_for_status().json()["items"]
    return found
