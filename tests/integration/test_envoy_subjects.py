"""Real Envoy with jwt_authn: the subject of a verified token is blocked, a token that does not verify blocks nobody."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from joserfc import jwt
from joserfc.jwk import ECKey
from tests.gateway_rigs.envoy import EnvoyRig
from tests.gateway_rigs.rig import NOW, eventually, one

from gatewatch.model.containment import ScopeKind

KEY = ECKey.generate_key("P-256", parameters={"kid": "k1"})
_JWT = "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication"


class WithTokens(EnvoyRig):
    def _config(self) -> dict[str, Any]:
        config = super()._config()
        (listener,) = config["static_resources"]["listeners"]
        manager = listener["filter_chains"][0]["filters"][0]["typed_config"]
        provider = {
            "issuer": "https://id.example",
            "local_jwks": {"inline_string": json.dumps({"keys": [KEY.as_dict(private=False)]})},
            "payload_in_metadata": "token",
        }
        rule = {
            "match": {"prefix": "/"},
            "requires": {"requires_any": {"requirements": [{"provider_name": "id"}, {"allow_missing": {}}]}},
        }
        filter_ = {
            "name": "envoy.filters.http.jwt_authn",
            "typed_config": {"@type": _JWT, "providers": {"id": provider}, "rules": [rule]},
        }
        manager["http_filters"].insert(0, filter_)
        return config


def token(subject: str, key: ECKey = KEY) -> str:
    claims = {"iss": "https://id.example", "sub": subject, "exp": int(NOW) + 10**8}
    return jwt.encode({"alg": "ES256", "kid": "k1"}, claims, key)


def test_a_verified_subject_is_blocked(tmp_path: Path) -> None:
    with WithTokens(tmp_path) as rig:

        def asked(text: str) -> int:
            return rig.status("192.0.2.77", authorization=f"Bearer {text}")

        gateway = rig.gateway()
        assert gateway.apply([one(1, "subject:mallory", kind=ScopeKind.ACTOR)]).complete
        eventually(lambda: asked(token("mallory")), 403)
        assert asked(token("ann")) == 200
        assert rig.status("192.0.2.77") == 200
        assert asked(token("mallory", ECKey.generate_key("P-256"))) == 401
        gateway.apply([])
        eventually(lambda: asked(token("mallory")), 200)
