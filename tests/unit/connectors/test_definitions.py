"""Definition files: mistakes are told where they are; the one of the how-to works."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.connector_servers import SECRET, Answer, Request
from tests.connector_servers import Vendor as Server

from gatewatch.config.settings import ConnectionSettings
from gatewatch.connectors.loading import load
from gatewatch.connectors.registry import Connections, kinds
from gatewatch.errors import ConfigurationError, DefinitionError
from gatewatch.ports.connectors import ActionCall, Outcome

GUIDE = (Path(__file__).parents[3] / "docs/how-to/add-a-connector.md").read_text()
(DESK,) = re.findall(r"```yaml\n(.*?)```", GUIDE, re.DOTALL)

MISTAKES: dict[str, tuple[str, str, str]] = {
    "a member that there is not": ("title: Help desk", "title: Help desk\ntitel: x", r":1:1: .*`titel`"),
    "a wrong type": ("method: POST", "method: SEND", r":18:15: Invalid enum value 'SEND'"),
    "a text for a list": ("success: [201]", "success: yes", r":24:14: Expected `array`"),
    "an expression that is none": ("error: body.message", "error: body.", r":25:12: `body.` is no CEL"),
    "a name that there is not": ("tags: ${inputs.tags}", "tags: ${inputs.tag}", r":22:15: .*inputs\.tag, which"),
    "a secret in an expression": ("tags: ${inputs.tags}", "tags: ${secret.token}", r":22:15: .*names secret"),
    "a secret that there is not": ("tags: ${inputs.tags}", "tags: {$secret: key}", r":22:15: there is no secret key"),
    "an answer in a request": ("tags: ${inputs.tags}", "tags: ${body.tags}", r":22:15: .*names body"),
    "an output that there is not": ("values: {id: string", "values: {ident: string", r":27:23: there is no output ident"),
    "an example of another type": ("example: [api]", "example: api", r":14:9: the example of tags is not of type array"),
    "no example": (', example: "17"', "", r":16:9: id has no example"),
    "a type that is none": ("type: array", "type: list", r":14:9: list is no type"),
    "an input twice": ("{name: tags, type: array", "{name: title, type: array", r":14:9: the input title is there twice"),
    "a key that goes nowhere": ("reference: ${key}", "reference: x", r":29:18: the request does not use `key`"),
    "an unknown secret of authentication": ("secret: token}", "secret: tok}", r":7:40: there is no secret tok"),
    "authentication by halves": ("kind: bearer, secret: token", "kind: basic, secret: token", r":7:17: .*needs user"),
    "a brace that is not closed": ("tags: ${inputs.tags}", 'tags: "${inputs.tags"', r":22:15: an expression is not closed"),
    "a path that is none": ("path: /api/tickets\n      body", "path: api/tickets\n      body", r":19:13: a path begins"),
    "no YAML": ("id: desk", "id: [desk", r"no YAML"),
    "an alias": ("id: desk", "x: &a 1\ny: *a\nid: desk", r"aliases are not read"),
    "an object that Python would make": ("id: desk", "id: !!python/object/apply:os.system [x]", r"no YAML|could not"),
}  # fmt: skip


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes_are_told_where_they_are(name: str) -> None:
    old, new, told = MISTAKES[name]
    assert old in DESK
    with pytest.raises(DefinitionError) as caught:
        load(DESK.replace(old, new, 1), file="desk.yaml")
    assert re.search("desk.yaml.*" + told, caught.value.message), caught.value.message


def test_all_mistakes_are_told_at_once() -> None:
    wrong = DESK.replace("${inputs.tags}", "${inputs.tag}").replace("error: body.message", "error: nobody")
    with pytest.raises(DefinitionError, match=r"desk\.yaml:22:15: .*; line 25: "):
        load(wrong, file="desk.yaml")


def test_the_connector_of_the_guide_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "desk.yaml").write_text(DESK)
    monkeypatch.setenv("DESK_TOKEN", SECRET)
    tickets: list[dict[str, str]] = []

    def desk(request: Request) -> Answer:
        assert request.headers["authorization"] == f"Bearer {SECRET}"
        if request.method == "GET":
            return Answer(200, [t for t in tickets if t["reference"] == request.query["reference"]])
        tickets.append({**request.members("tags", "title reference"), "id": "17"})
        return Answer(201, {"id": 17, "url": "https://desk.example.org/17"})

    server = Server(desk)
    settings = ConnectionSettings(
        name="shop-desk",
        connector="desk",
        url=server.url,
        secrets={"token": "env:DESK_TOKEN"},
        private_hosts=("127.0.0.1",),
    )
    connections = Connections([settings], kinds(str(tmp_path)))
    call = ActionCall(connection="shop-desk", action="create_ticket", inputs={"title": "T"}, key="run-1.a")
    try:
        assert connections.read_back(call).outcome is Outcome.FAILED
        result = connections.perform(call)
        assert (result.values, result.link) == ({"id": "17"}, "https://desk.example.org/17")
        assert connections.read_back(call).values == {"id": "17"}
    finally:
        connections.close()
        server.close()


def test_an_id_can_not_be_taken_twice(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(DESK.replace("id: desk", "id: slack"))
    with pytest.raises(ConfigurationError, match="two connectors slack"):
        kinds(str(tmp_path))
