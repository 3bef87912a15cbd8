"""Stages of Amazon API Gateway as its reference describes them."""

from __future__ import annotations

import re
from typing import Any

from gatewatch.gateways.aws_stage import AwsStage, AwsStageSettings
from gatewatch.model.containment import Effect, ScopeKind
from gatewatch.ports.gateways import Gateway, Site
from tests.gateway_rigs.aws import KEY_ID, check_signature
from tests.gateway_rigs.rig import HOUR, NOW, one
from tests.gateway_rigs.served import SECRET, ServedRig
from tests.gateway_rigs.server import Reply, Request

_PATHS = {
    "/": {"GET"},
    "/users": {"GET", "POST"},
    "/users/{userId}": {"GET", "DELETE"},
    "/users/me": {"GET"},
    "/orders/{order}/items": {"POST"},
    "/theirs": {"GET"},
    "/legacy/{proxy+}": {"ANY"},
}
_PATCH = re.compile(r"/((?:~1[^/~]*)+|\*)/([A-Z]+|\*)(?:/throttling/(rateLimit|burstLimit))?")
_NEW = {
    "metricsEnabled": False,
    "loggingLevel": "OFF",
    "dataTraceEnabled": False,
    "throttlingBurstLimit": 5000,
    "throttlingRateLimit": 10000.0,
    "cachingEnabled": False,
    "cacheTtlInSeconds": 300,
    "cacheDataEncrypted": False,
    "requireAuthorizationForCacheControl": True,
    "unauthorizedCacheControlHeaderStrategy": "SUCCEED_WITH_RESPONSE_HEADER",
}


def _endpoint(number: int, text: str, effect: Effect = Effect.DISABLE_ENDPOINT, **more: Any) -> Any:
    return one(number, text, kind=ScopeKind.ENDPOINT, effect=effect, **more)


class AwsStageRig(ServedRig):
    samples = (
        _endpoint(1, "GET shop.example /api/users/{int}"),
        _endpoint(2, "GET shop.example /api/users/{int}", Effect.THROTTLE, calls=30, per_s=60),
        _endpoint(3, "GET shop.example /api", Effect.THROTTLE, calls=5, per_s=1),
        _endpoint(4, "POST shop.example /api/users", Effect.THROTTLE, calls=10, per_s=3600),
    )
    other = "GET shop.example /api/users/me"
    impossible = _endpoint(9, "GET shop.example /elsewhere", expires_at=NOW + HOUR)

    def beginning(self) -> Any:
        return {"~1theirs/GET": _NEW | {"loggingLevel": "INFO"}, "~1users/POST": _NEW | {"throttlingRateLimit": 7.5}}

    def make(self, site: Site) -> Gateway:
        settings = AwsStageSettings(
            url=self.server.url,
            region="eu-west-1",
            access_key_id=KEY_ID,
            secret_access_key=SECRET,
            session_token=SECRET,
            api="abc123",
            stage="prod",
            host="shop.example",
            base_path="/api",
        )
        return AwsStage(settings, site)

    def answer(self, request: Request) -> Reply:
        signs = {"accept", "content-type"} if request.method == "PATCH" else {"accept"}
        check_signature(request, region="eu-west-1", service="apigateway", signs=signs)
        if request.path == "/restapis/abc123/resources":
            return self._resources(request)
        assert request.path == "/restapis/abc123/stages/prod", request.path
        if request.method == "PATCH":
            assert request.body.keys() == {"patchOperations"}
            changed = {name: dict(settings) for name, settings in self.kept.items()}
            for operation in request.body["patchOperations"]:
                if message := _patched(changed, **operation):
                    return Reply(400, {"message": message})
            self.kept = changed
        else:
            assert request.method == "GET"
        return Reply(200, {"stageName": "prod", "deploymentId": "d1", "methodSettings": self.kept})

    def _resources(self, request: Request) -> Reply:
        assert request.method == "GET" and request.query["limit"] == "500"
        begin = int(request.query.get("position", "p0")[1:])
        items = [
            {"id": f"r{number}", "path": path, "resourceMethods": {method: {} for method in _PATHS[path]}}
            for number, path in enumerate(_PATHS)
        ]
        more = {"position": f"p{begin + 4}"} if begin + 4 < len(items) else {}
        return Reply(200, {"item": items[begin : begin + 4], **more})

    def plant(self) -> None:
        """Somebody turns on logging for a method that we will throttle."""
        self.kept["~1users/POST"] = self.kept["~1users/POST"] | {"loggingLevel": "ERROR"}

    def planted(self) -> bool:
        logging = {name: settings["loggingLevel"] for name, settings in self.kept.items()}
        return logging["~1users/POST"] == "ERROR" and logging["~1theirs/GET"] == "INFO"

    def tamper(self) -> None:
        self.kept["~1users~1{userId}/GET"] = self.kept["~1users~1{userId}/GET"] | {"throttlingRateLimit": 10000.0}


def _patched(settings: dict[str, Any], *, op: str, path: str, value: str = "") -> str:
    """Why not; '' when it was done."""
    found = _PATCH.fullmatch(path)
    if not found:
        return f"Invalid method setting path: {path}"
    resource, method, limit = found.groups()
    key = f"{resource}/{method}"
    if key != "*/*" and method not in _PATHS.get(resource.replace("~1", "/"), set()):
        return f"Invalid method setting path: {path}"
    if op == "remove":
        assert limit is None and key in settings
        del settings[key]
        return ""
    assert op == "replace" and limit
    number = float(value) if limit == "rateLimit" else int(value)
    assert number >= -1
    name = "throttling" + limit[0].upper() + limit[1:]
    settings[key] = settings.get(key, _NEW) | {name: number}
    return ""
