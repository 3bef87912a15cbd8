"""Whether a login that was answered with success was refused all the same: many applications say so only in the answer.

Evidence, strongest first: a token in the answer (success), a redirect back to the login page or with an error in its query,
the login form shown again, an error or a negative verdict as a member, and, where nothing was handed out, a message that
speaks of wrong credentials. Sources: OWASP Authentication cheat sheet (generic messages), Spring Security, Django, Rails Devise
and WordPress defaults (redirect or form shown again), GraphQL specification 7.1 (`errors` beside status 200).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import parse_qsl, urlsplit

from gatewatch.observe.bodies import Body

__all__ = ["SIGNAL", "refused"]

SIGNAL = "login_failed"
"""Response signal of a login attempt that failed though its status says success."""

_FAILURE = 400
_REDIRECT = 300
_TOKENS = frozenset(
    {"token", "accesstoken", "idtoken", "refreshtoken", "authtoken", "jwt", "sessiontoken", "sessionid", "bearer", "apikey", "ticket"}
)  # fmt: skip
_VERDICTS = frozenset(
    {"success", "succes", "succeeded", "successful", "issuccess", "ok", "authenticated", "isauthenticated", "authorized", "loggedin", "isloggedin", "valid", "isvalid"}
)  # fmt: skip
_ERRORS = frozenset({"error", "errors", "err", "errormessage", "errorcode", "errordescription", "errormsg", "fault", "exception"})  # fmt: skip
_STATES = frozenset({"status", "result", "state", "outcome", "code", "statuscode", "resultcode", "responsecode", "type", "stat"})  # fmt: skip
_MESSAGES = frozenset({"message", "msg", "detail", "description", "reason", "title", "text"})
_NEGATIVE = re.compile(
    r"(?:err(?:or)?|fail(?:ed|ure)?|unauthori[sz]ed|unauthenticated|forbidden|denied|invalid|rejected|refused|ko|nok|"
    r"(?:invalid|bad|wrong)[ _-]?(?:credentials?|password|login|user|grant)|(?:login|auth(?:entication)?)[ _-]?(?:failed|error|failure))",
    re.IGNORECASE,
)
_WRONG = re.compile(
    r"(?:invalid|incorrect|wrong|bad|unknown|not\s+(?:correct|valid|found|match)|do(?:es)?\s*n[o']t\s+match|failed|denied|locked|"
    r"falsch|ungültig|unbekannt|fehlgeschlagen|incorrecte?s?|invalide|erroné|échou|incorrect[oa]s?|inválid[oa]s?|errat[oa]|non\s+valid|onjuist|ongeldig|"
    r"nieprawidłow|błędn|неверн|неправильн)"
    r".{0,60}(?:credential|password|passcode|user|login|log-?in|sign-?in|e-?mail|account|authenti|pin\b|passwort|kennwort|benutzer|anmeld|mot de passe|"
    r"identifiant|connexion|contraseña|usuario|senha|credenzial|utente|wachtwoord|gebruiker|hasł|użytkownik|парол|логин)"
    r"|(?:credential|password|user\s?name|login|log-?in|sign-?in|authentication|passwort|kennwort|anmeldung|mot de passe|identifiants?|connexion|contraseña|usuario|senha|"
    r"wachtwoord|hasło|пароль|логин).{0,60}(?:invalid|incorrect|wrong|not\s+(?:correct|valid|found)|do(?:es)?\s*n[o']t\s+match|failed|denied|falsch|ungültig|fehlgeschlagen|"
    r"incorrecte?|invalide|échou|incorrect[oa]s?|inválid[oa]|onjuist|ongeldig|nieprawidłow|błędn|неверн|неправильн)",
    re.IGNORECASE,
)
_PASSWORD_FIELD = re.compile(rb"<input\b[^>]{0,300}\btype\s*=\s*['\"]?password\b", re.IGNORECASE)
_LOGIN_PAGE = re.compile(
    r"/(?:log-?in|sign-?in|logon|user_?login|wp-login\.php|wp-login|login\.\w{2,5}|signin\.\w{2,5})/?$", re.IGNORECASE
)
_ERROR_PARAMETER = re.compile(r"(?:login_?|auth_?)?(?:error|err|errors|errorcode|error_code|failed|failure|fail|invalid|denied|loginfailed|bad_?credentials)", re.IGNORECASE)  # fmt: skip
_NO = frozenset({"", "0", "false", "none", "null", "no"})
_ENVELOPES = frozenset({"data", "result", "response", "body", "payload"})
_MAX_PAGE, _MAX_PLAIN, _MAX_MESSAGE = 65_536, 200, 400


def refused(status: int, path: str, headers: Mapping[str, str], body: Body) -> bool:
    """Whether a login attempt to `path` failed although its status is below 400. `headers`: the response's, lower case."""
    if not 0 < status < _FAILURE:
        return False
    if status >= _REDIRECT:
        return _sent_back(path, headers.get("location", ""))
    if isinstance(body.content, dict):
        return _object_refuses(body.content, gave_session="set-cookie" in headers or "authorization" in headers)
    if body.content is not None or not body.data:
        return False
    page = body.data[:_MAX_PAGE]
    if page.lstrip()[:1] == b"<":
        return _PASSWORD_FIELD.search(page) is not None
    plain = page.decode("utf-8", "replace").strip() if len(page) <= _MAX_PLAIN else ""
    return plain.lower() in ("false", "fail", "failed", "failure", "error") or _WRONG.search(plain) is not None


def _sent_back(path: str, location: str) -> bool:
    try:
        target = urlsplit(location)
    except ValueError:
        return False
    if any(
        _ERROR_PARAMETER.fullmatch(name) and (value.lower() not in _NO or not value)
        for name, value in parse_qsl(target.query, keep_blank_values=True)
    ):
        return True
    return bool(target.path) and (
        target.path.rstrip("/") == path.rstrip("/") or _LOGIN_PAGE.search(target.path) is not None
    )


def _plain_name(name: object) -> str:
    return str(name).replace("_", "").replace("-", "").lower()


def _object_refuses(content: dict[object, object], *, gave_session: bool) -> bool:
    levels = [content, *(v for k, v in content.items() if isinstance(v, dict) and _plain_name(k) in _ENVELOPES)]
    members = [(_plain_name(name), value) for level in levels for name, value in level.items()]
    inside = [(_plain_name(k), v) for _, value in members if isinstance(value, dict) for k, v in value.items()]
    if any(name in _TOKENS and isinstance(value, str) and value for name, value in (*members, *inside)):
        return False
    if any(_negative(name, value) for name, value in members):
        return True
    return not gave_session and any(
        name in _MESSAGES and isinstance(value, str) and len(value) <= _MAX_MESSAGE and _WRONG.search(value)
        for name, value in members
    )


def _negative(name: str, value: object) -> bool:
    """A member that says no. `error: null`, `errors: []`, `code: 0` say nothing."""
    if name in _VERDICTS:
        return value is False or (isinstance(value, str) and value.lower() in ("false", "no"))
    if name in _ERRORS:
        return value not in (None, False, 0, [], {}) and not (isinstance(value, str) and value.strip().lower() in _NO)
    if name in _STATES:
        if isinstance(value, int) and not isinstance(value, bool):
            return _FAILURE <= value < 500
        return isinstance(value, str) and _NEGATIVE.fullmatch(value.strip()) is not None
    return False
