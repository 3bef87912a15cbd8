"""Shell syntax that runs a command."""

from __future__ import annotations

import re

from gatewatch.observe.pattern import Indicator, MatchValue, PatternMeta, Rule, redacted, strongest, without_code

__all__ = ["CommandInjection"]

_COMMANDS = (
    r"(?:cat|ls|id|whoami|uname|pwd|ifconfig|ip|netstat|ps|env|printenv|wget|curl|nc|ncat|netcat|bash|sh|zsh|dash|python[23]?|"
    r"perl|ruby|php|ping|nslookup|dig|host|sleep|echo|touch|chmod|chown|rm|cp|mv|tftp|certutil|powershell(?:\.exe)?|cmd(?:\.exe)?|"
    r"type|dir|ipconfig|net|systeminfo|tasklist|busybox|awk|sed|base64|xxd|hostname|reboot|kill|crontab|ssh|telnet|socat)"
)
# Commands that do something without an argument.
_ALONE = r"(?:ls|id|whoami|uname|pwd|ifconfig|netstat|ps|env|printenv|bash|sh|zsh|dash|python[23]?|perl|php|dir|ipconfig|systeminfo|tasklist|hostname|reboot|powershell(?:\.exe)?|cmd(?:\.exe)?)"
_END = r"(?=$|[\s;|&`)'\"<>$])"
_ARGUMENT = r"\s+(?:-{1,2}\w|/\w|\$|['\"]|https?:|(?:\d{1,3}\.){3}|\.{1,2}/|~|\||[a-z]:\\|[a-z0-9.-]+\.[a-z]{2,})"
_F = re.IGNORECASE
RULES = (
    Rule("separator_command", re.compile(rf"(?:[;|&\n`]|\|\||&&)\s*(?:/(?:usr/)?s?bin/)?(?:{_COMMANDS}{_ARGUMENT}|{_ALONE}\s*(?:[;|&`#]|$))", _F), 0.9),
    Rule("delay", re.compile(r"(?:[;|&\n`(]|\$\()\s*(?:sleep|timeout(?:\s+/t)?|ping\s+-[nc])\s+\d{1,4}[smh]?\s*(?:$|[;|&`#)'\"<\n])", _F), 0.9),
    Rule("substitution", re.compile(rf"\$\(\s*(?:/(?:usr/)?s?bin/)?{_COMMANDS}{_END}|`\s*(?:/(?:usr/)?s?bin/)?{_COMMANDS}{_END}[^`]*`", _F), 0.9),
    Rule("ifs", re.compile(r"\$\{?IFS\}?|\{(?:cat|ls|wget|curl|ping|echo|bash|sh),[^}]{1,80}\}", _F), 0.95),
    Rule("shell_path", re.compile(r"(?:^|[\s;|&`$(=])/(?:usr/)?bin/(?:ba|z|da|c|k)?sh\b|/dev/tcp/|[;|&\n`(]\s*(?:ba)?sh\s+-[ci]\b|[;|&\n(]\s*cmd(?:\.exe)?\s+/[ck]\b|(?:^|[;|&\n(])\s*powershell(?:\.exe)?\s+-(?:e|w|nop|c|ep|exec)", _F), 0.9),
    Rule("shellshock", re.compile(r"\(\s*\)\s*\{\s*[^}]{0,20};?\s*\}\s*;", _F), 0.98),
    Rule("read_file", re.compile(r"(?:[;|&`\n]|\$\()\s*(?:cat|type|less|more|head|tail|tac|nl)\s+\S*(?:etc/|passwd|shadow|win\.ini|boot\.ini|\.ssh|\.env)", _F), 0.95),
    Rule("file_command", re.compile(r"(?:[;|&\n`]|\$\()\s*(?:head|tail|more|less|tac|nl|find|grep|xargs|xxd|od|strings|tee|dd|mount|df|du|ln|mkdir|tar|zip|openssl|sudo|su|service|systemctl|node|lua|java|findstr|more)\s+(?:-{1,2}[a-z][\w-]*\s|[~.]{0,2}/\w|[a-z]:\\)", _F), 0.85),
    Rule("windows_command", re.compile(r"(?:[;|&\n]|%0a)\s*(?:net\s+(?:user|localgroup|group|share|use|view|start)|wmic\s+\w|reg\s+(?:query|add|save)|schtasks\s+/|rundll32\s|regsvr32\s|mshta\s|bitsadmin\s+/|taskkill\s+/|cscript\s|sc\s+(?:query|stop|config))\b", _F), 0.9),
    Rule("broken_word", re.compile(r"(?:^|[;|&`\n]|\$\()\s*(?=[a-z'\"\\$@*?/]{2,20}\s)(?:[a-z]{1,6}(?:''|\"\"|\\|\$@|'[a-z]{1,4}'|\"[a-z]{1,4}\"))+[a-z]{0,6}\s+\S*(?:/|passw)", _F), 0.9),
    Rule("interpreter", re.compile(r"(?:[;|&`\n]|\$\()\s*(?:python[23]?|perl|ruby|php|node)\s+-[a-z]\s*['\"]", _F), 0.95),
    Rule("download_run", re.compile(r"\b(?:wget|curl|fetch)\b[^|;&\n]{3,120}[|;&]+\s*(?:ba|z|da)?sh\b|\bnc\b[^;|]{0,40}-e\s*/bin", _F), 0.97),
)  # fmt: skip
_CERTAIN = 0.95
_LIST_PARTS = 3
_PLAIN_PART = re.compile(r"[^\W_][\w ]{0,40}|:?-+:?")
_ONLY_COMMAND = re.compile(_COMMANDS, re.IGNORECASE)
_SCRIPT = re.compile(
    r"\s*(?:#!|[$>#%]\s+\w|(?:RUN|FROM|CMD|ENTRYPOINT)\s|(?:while|until|for|if)\s.{1,60}[;\n]\s*(?:do|then)\b|sudo\s|"
    r"(?:cd|ls|mkdir|export|source|set|echo|git|docker|kubectl|helm|npm|npx|yarn|pnpm|pip3?|python3?|node|make|cargo|go|mvn|gradle|apt(?:-get)?|brew|curl|"
    r"cat|grep|find|tar|terraform|systemctl)\s+[\w./~$'\"-])"
)
"""How scripts begin; an attack begins with the value it breaks out of, or with a separator."""


class CommandInjection(Indicator):
    """Command injection."""

    meta = PatternMeta(
        id="command_injection",
        title="Command injection",
        references=("CWE-78", "OWASP WSTG-INPV-12"),
        known_misses="Commands outside the list behind unusual separators.",
    )
    expressions = (
        rb"[;|&\n`]\s{0,4}(/(usr/)?s?bin/)?" + _COMMANDS.encode() + rb"(\s|$|[;|&`#\x1f\"'<])",
        rb"[;|&\n`(]\s{0,4}(head|tail|more|less|tac|nl|find|grep|xargs|xxd|od|strings|tee|dd|mount|df|du|ln|mkdir|tar|zip|openssl|sudo|su|service|systemctl|node|lua|java|findstr|more)\s+[-~./a-z]",
        rb"[;|&\n]\s{0,4}(wmic|reg|schtasks|rundll32|regsvr32|mshta|bitsadmin|taskkill|cscript|sc)\s",
        rb"[;|&`\n(]\s{0,4}[a-z]{1,6}('[a-z]{0,4}'|\"[a-z]{0,4}\"|\\|\$@)[a-z]{0,6}[^\x1f]{0,8}\s",
        rb"\$\(\s{0,3}[a-z/]",
        rb"\$\{?ifs",
        rb"\{[a-z]{2,5},",
        rb"/bin/[a-z]*sh\b",
        rb"/dev/tcp/",
        rb"\(\s{0,3}\)\s{0,3}\{",
        rb"(cmd|powershell)(\.exe)?\s{1,3}[-/]",
        rb"\bsh\s{1,3}-[ci]\b",
    )

    def judge(self, value: MatchValue) -> tuple[float, str, str] | None:
        """A separator must be followed by a known command in command position."""
        text = without_code(value.text, running_text=3)
        found = strongest(RULES, text)
        if found is None:
            return None
        rule, start, end = found
        # A whole script, posted as one: its own separators break out of nothing.
        if rule.confidence < _CERTAIN and (_SCRIPT.match(text) or _enumeration(_line(text, end))):
            return None
        return rule.confidence, rule.id, redacted(text, start, end)


def _line(text: str, at: int) -> str:
    """The line that holds the character before `at`."""
    return text[text.rfind("\n", 0, at - 1) + 1 :].partition("\n")[0].strip()


def _enumeration(line: str) -> bool:
    """Whether separators stand between plain words only, as in lists and tables: `a|id|name`, `| id | title |`."""
    for separator in "|;":
        parts = [part.strip() for part in line.strip("|;").split(separator)]
        row = line.startswith("|") and line.endswith("|")
        if len(parts) >= _LIST_PARTS - row and all(_PLAIN_PART.fullmatch(part) for part in parts):
            return sum(_ONLY_COMMAND.fullmatch(part) is not None for part in parts) <= 1
    return False
