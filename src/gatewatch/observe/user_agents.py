"""Families of user agents. The raw header is never kept."""

from __future__ import annotations

import re

from gatewatch.knowledge.word_lists import words

__all__ = ["attack_tool", "family"]

_REMEMBERED = 16_384
_known: dict[str, str] = {}
_TOOLS = re.compile(
    r"(?<![a-z0-9])("
    + "|".join(sorted(map(re.escape, words("attack_tools")), key=len, reverse=True))
    + r")(?![a-z0-9])",
    re.IGNORECASE,
)
# Order decides: every Chrome says Safari, every Edge says Chrome. Sources: the products' own documentation of their headers.
_FAMILIES = (
    ("googlebot", r"googlebot|google-inspectiontool|adsbot-google"), ("bingbot", r"bingbot|bingpreview"), ("crawler", r"\w*(?:bot|crawler|spider|slurp|archiver)\b"),
    ("feed reader", r"feedly|tiny tiny rss|newsblur|inoreader|universalfeedparser|rss"), ("monitor", r"uptimerobot|pingdom|statuscake|site24x7|kube-probe|elb-healthchecker|googlehc|prometheus"),
    ("curl", r"^curl/"), ("wget", r"^wget"), ("python-requests", r"python-requests"), ("python-httpx", r"python-httpx"), ("python-urllib", r"python-urllib|urllib3"),
    ("aiohttp", r"aiohttp"), ("go-http-client", r"go-http-client"), ("okhttp", r"okhttp"), ("java", r"java/|apache-httpclient|jersey"), ("node", r"node-fetch|axios|undici|^node|got \("),
    ("ruby", r"ruby|faraday|typhoeus"), ("php", r"guzzlehttp|php/"), ("dotnet", r"\.net|restsharp"), ("perl", r"libwww-perl|lwp"), ("postman", r"postmanruntime"), ("insomnia", r"insomnia"),
    ("headless chrome", r"headlesschrome|puppeteer|playwright"), ("ios app", r"cfnetwork|darwin/"), ("android app", r"dalvik"), ("edge", r"edg(?:e|a|ios)?/"), ("opera", r"opr/|opera"),
    ("samsung browser", r"samsungbrowser"), ("firefox", r"firefox/|fxios"), ("chrome", r"chrome/|crios|chromium"), ("safari", r"version/[\d.]+.*safari/"), ("internet explorer", r"msie |trident/"),
)  # fmt: skip
_COMPILED = tuple((name, re.compile(pattern, re.IGNORECASE)) for name, pattern in _FAMILIES)


def attack_tool(header: str) -> str:
    """Name of the attack tool that a header admits to, lower case; '' for none."""
    found = _TOOLS.search(header)
    return found.group(1).lower() if found else ""


def family(header: str) -> str:
    """Family name, 'other' when unknown, '' without header."""
    if not header:
        return ""
    known = _known.get(header)
    if known is None:
        if len(_known) >= _REMEMBERED:
            _known.clear()
        known = attack_tool(header) or next((name for name, p in _COMPILED if p.search(header)), "other")
        _known[header] = known
    return known
