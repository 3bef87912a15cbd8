"""Signatures of AWS against what AWS publishes and what botocore makes."""

from __future__ import annotations

import pytest

from gatewatch.gateways._sigv4 import Credentials, signed

AT = 1_440_938_160.0
SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
PLAIN = Credentials(key_id="AKIDEXAMPLE", secret=SECRET)
FORM = {"content-type": "application/x-www-form-urlencoded; charset=utf-8"}
WAF = {"content-type": "application/x-amz-json-1.1", "x-amz-target": "AWSWAF_20190729.GetIPSet"}

PUBLISHED = {
    "test suite: get-vanilla": (
        ("GET", "https://example.amazonaws.com/", {}, b"", "us-east-1", "service"),
        "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
    ),
    "test suite: post-vanilla": (
        ("POST", "https://example.amazonaws.com/", {}, b"", "us-east-1", "service"),
        "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
    ),
    "test suite: get-vanilla-query-order-key-case": (
        ("GET", "https://example.amazonaws.com/?Param2=value2&Param1=value1", {}, b"", "us-east-1", "service"),
        "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
    ),
    "general reference: ListUsers": (
        ("GET", "https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08", FORM, b"", "us-east-1", "iam"),
        "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7",
    ),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_what_aws_publishes(name: str) -> None:
    (method, url, headers, content, region, service), signature = PUBLISHED[name]
    found = signed(method, url, headers, content, credentials=PLAIN, region=region, service=service, at=AT)
    assert found["authorization"].endswith(f"Signature={signature}")


def test_what_botocore_makes_with_a_session() -> None:
    """botocore 1.44.5; 400 random requests were compared with it once (decision 0015)."""
    session = Credentials(key_id="AKIDEXAMPLE", secret=SECRET, session="tok/en+=")
    url, content = "https://wafv2.eu-west-1.amazonaws.com/", b'{"Scope":"REGIONAL"}'
    found = signed("POST", url, WAF, content, credentials=session, region="eu-west-1", service="wafv2", at=AT)
    assert found["authorization"] == (
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/eu-west-1/wafv2/aws4_request, "
        "SignedHeaders=content-type;host;x-amz-date;x-amz-security-token;x-amz-target, "
        "Signature=772d11630d3a49eab6cc60fbca72bcd03b9c1d87c33f1a76511e89e3671c7075"
    )


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://a.example:443/x", "a.example"),
        ("https://a.example:8443/x", "a.example:8443"),
        ("http://[::1]:80/", "[::1]"),
        ("http://127.0.0.1:8080/", "127.0.0.1:8080"),
    ],
)
def test_the_host_is_signed_as_it_is_sent(url: str, host: str) -> None:
    found = signed("GET", url, {}, b"", credentials=PLAIN, region="us-east-1", service="s", at=AT)
    assert found["host"] == host


def test_credentials_do_not_show_themselves() -> None:
    shown = repr(Credentials(key_id="AKIDEXAMPLE", secret=SECRET, session="tok"))
    assert shown == "Credentials(AKIDEXAMPLE)"
