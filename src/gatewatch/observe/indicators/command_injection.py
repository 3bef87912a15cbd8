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
_END = r"(?=$|[\s;|&`)'\"<>$])"
_ARGUMENT = r"\s+(?:-{1,2}\w|/\w|\$|['\"]|https?:|\d|\.{1,2}/|~|\||[a-z0-9.-]+\.[a-z]{2,})"
_F = re.IGNORECASE
RULES = (
    Rule("separator_command", re.compile(rf"(?:[;|&\n`]|\|\||&&)\s*(?:/(?:usr/)?s?bin/)?{_COMMANDS}(?:{_ARGUMENT}|\s*(?:[;|&`#]|$))", _F), 0.9),
    Rule("substitution", re.compile(rf"\$\(\s*(?:/(?:usr/)?s?bin/)?{_COMMANDS}{_END}|`\s*(?:/(?:usr/)?s?bin/)?{_COMMANDS}{_END}[^`]*`", _F), 0.9),
    Rule("ifs", re.compile(r"\$\{?IFS\}?|\{(?:cat|ls|wget|curl|ping|echo|bash|sh),[^}]{1,80}\}", _F), 0.95),
    Rule("shell_path", re.compile(r"(?:^|[\s;|&`$(=])/(?:usr/)?bin/(?:ba|z|da|c|k)?sh\b|/dev/tcp/|(?:ba)?sh\s+-[ci]\b|cmd(?:\.exe)?\s+/[ck]\b|powershell(?:\.exe)?\s+-", _F), 0.9),
    Rule("shellshock", re.compile(r"\(\s*\)\s*\{\s*[^}]{0,20};?\s*\}\s*;", _F), 0.98),
    Rule("read_file", re.compile(r"(?:[;|&`\n]|\$\()\s*(?:cat|type|less|more|head|tail|tac|nl)\s+\S*(?:etc/|passwd|shadow|win\.ini|boot\.ini|\.ssh|\.env)", _F), 0.95),
    Rule("broken_word", re.compile(r"(?:^|[;|&`\n]|\$\()\s*(?=[a-z'\"\\$@*?/]{2,20}\s)(?:[a-z]{1,6}(?:''|\"\"|\\|\$@|'[a-z]{1,4}'|\"[a-z]{1,4}\"))+[a-z]{0,6}\s+\S*(?:/|passw)", _F), 0.9),
    Rule("interpreter", re.compile(r"(?:[;|&`\n]|\$\()\s*(?:python[23]?|perl|ruby|php|node)\s+-[a-z]\s*['\"]", _F), 0.95),
    Rule("download_run", re.compile(r"\b(?:wget|curl|fetch)\b[^|;&\n]{3,120}[|;&]+\s*(?:ba|z|da)?sh\b|\bnc\b[^;|]{0,40}-e\s*/bin", _F), 0.97),
)  # fmt: skip
_CERTAIN = 0.95
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
        text = without_code(value.text)
        found = strongest(RULES, text)
        if found is None:
            return None
        rule, start, end = found
        # A whole script, posted as one: its own separators break out of nothing.
        if rule.confidence < _CERTAIN and _SCRIPT.match(text):
            return None
        return rule.confidence, rule.id, redacted(text, start, end)
