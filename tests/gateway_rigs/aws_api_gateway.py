"""API keys of Amazon API Gateway as its reference describes them."""

from __future__ import annotations

from typing import Any

from gatewatch.gateways.aws_api_gateway import AwsApiGateway, AwsApiGatewaySettings
from gatewatch.model.containment import Effect, ScopeKind
from gatewatch.ports.gateways import Gateway, Site
from tests.gateway_rigs.aws import KEY_ID, check_signature
from tests.gateway_rigs.rig import one
from tests.gateway_rigs.served import SECRET, ServedRig
from tests.gateway_rigs.server import Reply, Request

_KEYS = ("abcd12345a", "abcd12345b", "abcd12345c")
_THEIRS = "dead12345x"
_OPERATION = {"op": "replace", "path": "/enabled"}


class AwsApiGatewayRig(ServedRig):
    samples = tuple(
        one(number, key, kind=ScopeKind.CONSUMER, effect=Effect.SUSPEND_KEY) for number, key in enumerate(_KEYS, 1)
    )
    other = "abcd12345d"

    def beginning(self) -> Any:
        return dict.fromkeys((*_KEYS, self.other, "partner"), True) | {_THEIRS: False}

    def make(self, site: Site) -> Gateway:
        settings = AwsApiGatewaySettings(
            url=self.server.url,
            region="eu-west-1",
            access_key_id=KEY_ID,
            secret_access_key=SECRET,
            session_token=SECRET,
        )
        return AwsApiGateway(settings, site)

    def answer(self, request: Request) -> Reply:
        signs = {"accept", "content-type"} if request.method == "PATCH" else {"accept"}
        check_signature(request, region="eu-west-1", service="apigateway", signs=signs)
        assert request.path.startswith("/apikeys/") and request.headers["accept"] == "application/json"
        key = request.path.removeprefix("/apikeys/")
        if key not in self.kept:
            return Reply(404, {"message": "Invalid API Key identifier specified"})
        if request.method == "PATCH":
            ((operation,),) = request.body.values()
            assert request.body.keys() == {"patchOperations"} and operation == _OPERATION | {
                "value": operation["value"]
            }
            assert operation["value"] in {"true", "false"}
            self.kept[key] = operation["value"] == "true"
        else:
            assert request.method == "GET"
        return Reply(200, {"id": key, "name": key, "enabled": self.kept[key], "createdDate": 1_700_000_000})

    def plant(self) -> None:
        """Somebody has disabled a key that we will want disabled as well."""
        self.kept[_KEYS[1]] = False

    def planted(self) -> bool:
        return self.kept[_KEYS[1]] is False and self.kept[_THEIRS] is False

    def tamper(self) -> None:
        self.kept[_KEYS[0]] = True
