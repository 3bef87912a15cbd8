"""Our fragment in policy documents of API Management: where calls pass, and nowhere else."""

from __future__ import annotations

import pytest
from defusedxml.ElementTree import fromstring

from gatewatch.gateways._apim_policy import NEW, entries_in, fragment, merged
from gatewatch.model.containment import Effect, Scope, ScopeKind
from gatewatch.model.enforcement import Enforcement

# The comment that the portal puts into every new document (learn.microsoft.com, policies in Azure API Management).
HEAD = """<!--
    IMPORTANT:
    - Policy elements can appear only within the <inbound>, <outbound>, <backend> section elements.
    - Only the <forward-request> policy element can appear within the <backend> section element.
-->
"""
REST = "<backend><forward-request /></backend><outbound /><on-error /></policies>"
DOCUMENTS = {
    "a new one": NEW,
    "the portal's, empty": f"{HEAD}<policies>\n    <inbound />{REST}",
    "the portal's, with policies": f"{HEAD}<policies><inbound>\n<base />\n<cors />\n</inbound>{REST}",
    "with a section that is commented out": f"<policies><!-- <inbound /> --><inbound><cors /></inbound>{REST}",
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_ours_is_in_the_inbound_section_and_leaves_no_trace(name: str) -> None:
    scope = Scope(kind=ScopeKind.ADDRESS, value="203.0.113.7")
    ours = fragment([Enforcement(id="c1", scope=scope, effect=Effect.BLOCK, expires_at=1.0)])
    found = merged(DOCUMENTS[name], ours)
    assert fromstring(found).findtext("inbound/ip-filter/address") == "203.0.113.7"
    assert list(entries_in(found)) == ["c1"]
    assert merged(found, ours) == found
    if "<inbound />" not in DOCUMENTS[name].replace(HEAD, "").replace("<!-- <inbound /> -->", ""):
        assert merged(found, "") == DOCUMENTS[name]
