"""Checks signatures of AWS as its reference describes them, from what was received; written apart from the adapter."""

from __future__ import annotations

import hashlib
import hmac
import re
from datetime import UTC, datetime
from urllib.parse import quote

from tests.gateway_rigs.rig import NOW
from tests.gateway_rigs.server import Request

KEY_ID, SECRET, SESSION = "AKIDEXAMPLE", b"s3cret", "s3cret"
_HEADER = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(\w+)/(\d{8})/([\w-]+)/(\w+)/aws4_request, SignedHeaders=([a-z0-9;-]+), "
    r"Signature=([0-9a-f]{64})"
)


def check_signature(request: Request, *, region: str, service: str, signs: set[str]) -> None:
    found = _HEADER.fullmatch(request.headers["authorization"])
    assert found, request.headers["authorization"]
    key_id, day, where, what, names, signature = found.groups()
    sent = request.headers["x-amz-date"]
    at = datetime.strptime(sent, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    assert (key_id, where, what, day) == (KEY_ID, region, service, sent[:8])
    assert 0 <= at.timestamp() - NOW <= 1001 * 3600, "AWS refuses what is more than five minutes off"
    assert request.headers["x-amz-security-token"] == SESSION
    assert signs | {"host", "x-amz-date", "x-amz-security-token"} <= set(names.split(";"))
    assert names.split(";") == sorted(names.split(";"))
    lines = [request.method, quote(quote(request.path, safe="/-_.~"), safe="/-_.~")]
    lines.append("&".join(f"{quote(k, safe='')}={quote(v, safe='')}" for k, v in sorted(request.query.items())))
    lines += [f"{name}:{request.headers[name].strip()}" for name in names.split(";")]
    lines += ["", names, hashlib.sha256(request.raw).hexdigest()]
    digest = hashlib.sha256("\n".join(lines).encode()).hexdigest()
    key = b"AWS4" + SECRET
    for part in (day, region, service, "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    text = f"AWS4-HMAC-SHA256\n{sent}\n{day}/{region}/{service}/aws4_request\n{digest}"
    assert hmac.compare_digest(hmac.new(key, text.encode(), hashlib.sha256).hexdigest(), signature)
