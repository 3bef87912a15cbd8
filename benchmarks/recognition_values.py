"""Invented sensitive values of every information type, and values that only look like them.

Every value is made from a seed with the check digits its standard asks for; no key, card or person is real. `held_out`
makers and names were written together with the others; their misses were looked at only after tuning.
"""

from __future__ import annotations

import base64
import hashlib
import json
import random
import string
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import accumulate
from typing import Any

import phonenumbers
from stdnum import ean, iban, luhn
from stdnum.de import idnr
from stdnum.es import ccc, dni
from stdnum.fr import nir
from stdnum.gb import nhs
from stdnum.iso7064 import mod_11_10
from stdnum.it import codicefiscale
from stdnum.nl import bsn
from stdnum.pl import pesel

__all__ = ["LOOK_ALIKES", "SENSITIVE", "LookAlike", "Sensitive"]

Make = Callable[[random.Random], str]


@dataclass(frozen=True)
class Sensitive:
    """An information type: how values are made, under which member names people keep them."""

    type: str
    make: Make
    names: tuple[str, ...]
    form: str = ""
    """Which written form, for the table of misses."""
    anywhere: bool = False
    """Plain from its form alone: also planted under a neutral name and in prose."""
    held_out: bool = False


@dataclass(frozen=True)
class LookAlike:
    """A value that must stay quiet, under the names that it has in real interfaces."""

    kind: str
    make: Make
    names: tuple[str, ...]
    held_out: bool = False


def digits(rng: random.Random, count: int) -> str:
    return "".join(rng.choice(string.digits) for _ in range(count))


def letters(rng: random.Random, count: int, alphabet: str = string.ascii_letters + string.digits) -> str:
    return "".join(rng.choice(alphabet) for _ in range(count))


def with_luhn(rng: random.Random, prefix: str, length: int) -> str:
    body = prefix + digits(rng, length - len(prefix) - 1)
    return body + luhn.calc_check_digit(body)


BRANDS = {
    "visa": (("4",), 16),
    "mastercard": (("51", "52", "53", "54", "55", "2221", "2360", "2699"), 16),
    "amex": (("34", "37"), 15),
    "discover": (("6011", "65", "644"), 16),
    "jcb": (("3528", "3566", "3589"), 16),
    "diners": (("36", "38"), 14),
    "unionpay": (("6221", "6250"), 16),
    "maestro": (("5018", "6304", "6759"), 16),
}


def card(brand: str, gap: str) -> Make:
    prefixes, length = BRANDS[brand]

    def make(rng: random.Random) -> str:
        number = with_luhn(rng, rng.choice(prefixes), length)
        if length == 16:
            return gap.join(number[i : i + 4] for i in range(0, 16, 4))
        return gap.join((number[:4], number[4:10], number[10:]))

    return make


def account(country: str, gap: str) -> Make:
    shapes = {
        "DE": "n18", "FR": "n10 c11 n2", "GB": "NWBK n14", "NL": "INGB n10", "PL": "n24", "AT": "n16", "CH": "n5 c12",
        "BE": "BE", "ES": "ES", "SE": "n20", "NO": "n11", "PT": "n21", "IE": "AIBK n14", "SA": "n2 c18",
    }  # fmt: skip

    def make(rng: random.Random) -> str:
        while True:
            if country == "ES":
                start = digits(rng, 8) + "00" + digits(rng, 10)
                body = start[:8] + ccc.calc_check_digits(start) + start[10:]
            elif country == "BE":
                start = digits(rng, 10)
                body = start + f"{int(start) % 97 or 97:02d}"
            else:
                body = "".join(
                    digits(rng, int(part[1:])) if part[0] == "n" else letters(rng, int(part[1:]), string.digits + "ABCDEFGH") if part[0] == "c" else part
                    for part in shapes[country].split()
                )  # fmt: skip
            number = country + iban.calc_check_digits(f"{country}00{body}") + body
            if iban.is_valid(number):
                return gap.join(number[i : i + 4] for i in range(0, len(number), 4)) if gap else number

    return make


def phone(region: str, form: int) -> Make:
    example = phonenumbers.example_number_for_type(region, phonenumbers.PhoneNumberType.MOBILE)
    assert example is not None

    def make(rng: random.Random) -> str:
        while True:
            national = str(example.national_number)
            number = phonenumbers.PhoneNumber(
                country_code=example.country_code,
                national_number=int(national[:-6] + digits(rng, 6)),
                italian_leading_zero=example.italian_leading_zero,
            )
            if phonenumbers.is_valid_number(number):
                return phonenumbers.format_number(number, form)

    return make


FIRST = ["anna", "lukas", "marta", "jean", "sofia", "piotr", "aoife", "yuki", "omar", "ines", "chiara", "joao"]
LAST = ["weber", "kowalska", "dubois", "garcia", "rossi", "silva", "obrien", "tanaka", "haddad", "novak", "lindqvist"]
MAIL_HOSTS = ["nordlicht-mail.de", "posta.it", "correo.es", "mail.marche-vert.fr", "uni-hafen.de", "bluemail.co.uk"]


def email(rng: random.Random) -> str:
    return f"{rng.choice(FIRST)}{rng.choice(['.', '_', ''])}{rng.choice(LAST)}{rng.choice(['', digits(rng, 2)])}@{rng.choice(MAIL_HOSTS)}"


def tagged_email(rng: random.Random) -> str:
    return f"{rng.choice(FIRST)}+{letters(rng, 5)}@{rng.choice(['a', 'mx', 'eu'])}.{rng.choice(MAIL_HOSTS)}".swapcase()


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def jwt(rng: random.Random) -> str:
    head = {"alg": rng.choice(["HS256", "RS256", "ES256"]), "typ": "JWT"}
    if rng.random() < 0.3:
        head = {"kid": letters(rng, 8), **head}
    claims = {"sub": letters(rng, 8), "iat": 1_700_000_000 + rng.randrange(9_000_000), "scope": "read write"}
    parts = [json.dumps(head, separators=(",", ":")), json.dumps(claims)]
    return ".".join([*(b64(part.encode()) for part in parts), b64(rng.randbytes(32))])


def private_key(label: str) -> Make:
    def make(rng: random.Random) -> str:
        body = base64.b64encode(rng.randbytes(400)).decode()
        lines = "\n".join(body[i : i + 64] for i in range(0, len(body), 64))
        return f"-----BEGIN {label}-----\n{lines}\n-----END {label}-----\n"

    return make


def prefixed(prefix: str, count: int, alphabet: str = string.ascii_letters + string.digits) -> Make:
    return lambda rng: prefix + letters(rng, count, alphabet)


UPPER = string.ascii_uppercase + "234567"
HEX = "0123456789abcdef"


def ssn(rng: random.Random) -> str:
    area = rng.choice([n for n in range(1, 734) if n not in (666, 78, 219, 457)])
    return f"{area:03d}-{rng.randrange(1, 100):02d}-{rng.randrange(1, 10_000):04d}"


def checked(module: Any, length: int, gaps: tuple[int, ...] = (), first: str = string.digits) -> Make:
    """Digits that `module` finds valid (one in ten or so), cut into groups of `gaps` digits."""

    def make(rng: random.Random) -> str:
        while not module.is_valid(number := rng.choice(first) + digits(rng, length - 1)):
            pass
        return grouped(number, gaps or (length,))

    return make


def grouped(number: str, gaps: tuple[int, ...]) -> str:
    ends = list(accumulate(gaps))
    return " ".join(number[end - width : end] for end, width in zip(ends, gaps, strict=True))


def german_tax_id(rng: random.Random) -> str:
    while True:
        pool = rng.sample(string.digits, 9)
        body = [*pool, rng.choice(pool)]
        rng.shuffle(body)
        number = "".join(body) + mod_11_10.calc_check_digit("".join(body))
        if idnr.is_valid(number):
            return str(number)


def french_nir(rng: random.Random) -> str:
    body = f"{rng.choice('12')}{rng.randrange(100):02d}{rng.randrange(1, 13):02d}{rng.randrange(21, 90):02d}{rng.randrange(1, 600):03d}{rng.randrange(1, 999):03d}"
    return body + nir.calc_check_digits(body)


def spanish_dni(rng: random.Random) -> str:
    body = digits(rng, 8)
    return body + dni.calc_check_digit(body)


def fiscal_code(rng: random.Random) -> str:
    consonants = "BCDFGLMNPRSTVZ"
    body = (
        letters(rng, 6, consonants)
        + f"{rng.randrange(40, 99)}{rng.choice('ABCDEHLMPRST')}{rng.randrange(1, 29):02d}H{rng.randrange(100, 999)}"
    )
    return body + codicefiscale.calc_check_digit(body)


def nino(rng: random.Random) -> str:
    return f"{rng.choice(['AB', 'CE', 'JG', 'PR', 'SN'])}{digits(rng, 6)}{rng.choice('ABCD')}"


def brazilian_cpf(rng: random.Random) -> str:
    body = digits(rng, 9)
    for _ in range(2):
        body += str((10 * sum(int(d) * (len(body) + 1 - i) for i, d in enumerate(body))) % 11 % 10)
    return f"{body[:3]}.{body[3:6]}.{body[6:9]}-{body[9:]}"


def pesel_number(rng: random.Random) -> str:
    body = f"{rng.randrange(40, 99):02d}{rng.randrange(1, 13):02d}{rng.randrange(1, 29):02d}{digits(rng, 4)}"
    return body + str(pesel.calc_check_digit(body))


CARD_NAMES = ("card_number", "cardNumber", "pan", "creditCard", "payment.card.number", "account_number_on_card")
IBAN_NAMES = ("iban", "bankAccount", "payout_account", "creditorAccount", "kontonummer")
PHONE_NAMES = ("phone", "mobile", "telefon", "tel", "contactPhone", "phone_number")
INTERNATIONAL, NATIONAL, E164 = (
    phonenumbers.PhoneNumberFormat.INTERNATIONAL,
    phonenumbers.PhoneNumberFormat.NATIONAL,
    phonenumbers.PhoneNumberFormat.E164,
)

SENSITIVE: tuple[Sensitive, ...] = (
    *(Sensitive("credit_card", card(b, ""), CARD_NAMES, f"{b} plain", True) for b in ("visa", "mastercard", "amex", "discover", "unionpay")),
    *(Sensitive("credit_card", card(b, " "), CARD_NAMES, f"{b} spaces", True) for b in ("visa", "mastercard", "amex", "jcb")),
    Sensitive("credit_card", card("mastercard", "-"), CARD_NAMES, "mastercard dashes", True),
    Sensitive("credit_card", card("diners", ""), ("cc_number", "kartennummer", "primaryAccountNumber"), "diners plain", True, True),
    Sensitive("credit_card", card("diners", " "), ("cc_number", "numero_carte"), "diners spaces", True, True),
    Sensitive("credit_card", card("visa", "-"), ("cc_number", "tarjeta", "numero_carte"), "visa dashes", True, True),
    Sensitive("credit_card", card("maestro", ""), ("cc_number", "kartennummer"), "maestro plain", True, True),
    *(Sensitive("iban", account(c, ""), IBAN_NAMES, f"{c} compact", True) for c in ("DE", "FR", "GB", "NL", "PL", "BE")),
    *(Sensitive("iban", account(c, " "), IBAN_NAMES, f"{c} grouped", True) for c in ("DE", "ES", "AT", "CH")),
    *(Sensitive("iban", account(c, ""), ("IBAN", "compte", "cuenta"), f"{c} compact", True, True) for c in ("SE", "NO", "IE", "SA")),
    Sensitive("iban", account("PT", " "), ("conta", "refund.iban"), "PT grouped", True, True),
    Sensitive("email", email, ("email", "mail", "contact", "user.login", "recipient"), "plain", True),
    Sensitive("email", tagged_email, ("correo", "eMailAddress", "to"), "tag, subdomain, upper case", True, True),
    *(Sensitive("phone", phone(r, E164), PHONE_NAMES, f"{r} E.164", True) for r in ("DE", "US", "GB", "FR", "PL", "BR")),
    *(Sensitive("phone", phone(r, INTERNATIONAL), PHONE_NAMES, f"{r} international", True) for r in ("DE", "ES", "NL")),
    *(Sensitive("phone", phone(r, NATIONAL), PHONE_NAMES, f"{r} national") for r in ("DE", "US", "GB", "FR")),
    *(Sensitive("phone", phone(r, E164), ("handy", "msisdn", "whatsapp"), f"{r} E.164", True, True) for r in ("JP", "SA", "SE", "IN")),
    *(Sensitive("phone", phone(r, NATIONAL), ("telefono", "cellphone", "faxNumber"), f"{r} national", False, True) for r in ("IT", "ES", "US")),
    Sensitive("jwt", jwt, ("token", "id_token", "accessToken", "session.jwt"), "", True),
    Sensitive("jwt", jwt, ("assertion", "ticket", "refresh"), "", True, True),
    *(Sensitive("private_key", private_key(f"{k}PRIVATE KEY"), ("key", "pem", "tls.privateKey", "secret"), k, True) for k in ("RSA ", "", "EC ")),
    *(Sensitive("private_key", private_key(f"{k}PRIVATE KEY"), ("deploy_key", "identity"), k, True, True) for k in ("OPENSSH ", "ENCRYPTED ", "DSA ")),
    Sensitive("aws_access_key", prefixed("AK" + "IA", 16, UPPER), ("accessKeyId", "aws.key", "credentials"), "AKIA", True),
    Sensitive("aws_access_key", prefixed("AS" + "IA", 16, UPPER), ("AccessKeyId", "config"), "ASIA", True, True),
    Sensitive("aws_secret_key", prefixed("", 40, string.ascii_letters + string.digits + "+/"), ("aws_secret_access_key", "secretAccessKey"), ""),
    Sensitive("gcp_api_key", prefixed("AI" + "za", 35), ("apiKey", "maps_key", "gcp"), "", True),
    Sensitive("azure_storage_key", lambda rng: base64.b64encode(rng.randbytes(64)).decode(), ("AccountKey", "storageAccountKey"), "bare"),
    Sensitive("azure_storage_key", lambda rng: "DefaultEndpointsProtocol=https;AccountName=" + letters(rng, 8, HEX) + ";AccountKey=" + base64.b64encode(rng.randbytes(64)).decode() + ";EndpointSuffix=core.windows.net", ("connectionString", "storage"), "connection string", True),
    Sensitive("github_token", prefixed("gh" + "p_", 36), ("github", "token", "pat"), "classic", True),
    Sensitive("github_token", lambda rng: "github_" + "pat_" + letters(rng, 22) + "_" + letters(rng, 59), ("github", "deployToken"), "fine-grained", True),
    Sensitive("github_token", prefixed("gh" + "s_", 36), ("installation", "ci"), "installation", True, True),
    Sensitive("slack_token", lambda rng: "xo" + "xb-" + digits(rng, 12) + "-" + digits(rng, 13) + "-" + letters(rng, 24), ("slack", "botToken"), "bot", True),
    Sensitive("slack_token", lambda rng: "xo" + "xp-" + "-".join(digits(rng, 12) for _ in range(3)) + "-" + letters(rng, 32, HEX), ("notify", "oauth"), "user", True, True),
    Sensitive("stripe_key", prefixed("sk_" + "live_", 24), ("stripe", "secretKey"), "secret", True),
    Sensitive("stripe_key", prefixed("rk_" + "live_", 99), ("payments", "restricted"), "restricted", True, True),
    Sensitive("gitlab_token", prefixed("gl" + "pat-", 20), ("gitlab", "ciToken"), "", True),
    Sensitive("sendgrid_key", lambda rng: "SG" + "." + letters(rng, 22) + "." + letters(rng, 43), ("sendgrid", "mailKey"), "", True),
    Sensitive("npm_token", prefixed("np" + "m_", 36), ("npm", "registryToken"), "", True, True),
    Sensitive("us_ssn", ssn, ("ssn", "socialSecurityNumber", "taxpayer.ssn"), "dashes"),
    Sensitive("us_ssn", lambda rng: ssn(rng).replace("-", ""), ("ssn", "social_security_number"), "plain"),
    Sensitive("us_ssn", lambda rng: ssn(rng).replace("-", " "), ("SSN", "social"), "spaces", held_out=True),
    Sensitive("gb_nhs", checked(nhs, 10, (3, 3, 4)), ("nhsNumber", "nhs_no", "patient.nhs"), "spaces"),
    Sensitive("gb_nhs", checked(nhs, 10, first="4679"), ("nhs_number", "nhs"), "plain", held_out=True),
    Sensitive("gb_nino", nino, ("nino", "nationalInsuranceNumber", "ni_number"), "plain"),
    Sensitive("gb_nino", lambda rng: grouped(nino(rng), (2, 2, 2, 2, 1)), ("NINO", "national_insurance"), "spaces", held_out=True),
    Sensitive("de_tax_id", german_tax_id, ("steuerId", "taxId", "idnr", "steuer_identifikationsnummer"), "plain"),
    Sensitive("de_tax_id", lambda rng: grouped(german_tax_id(rng), (2, 3, 3, 3)), ("steuerid", "steueridentnummer"), "spaces", held_out=True),
    Sensitive("fr_nir", french_nir, ("nir", "numeroSecuriteSociale", "secu"), "plain"),
    Sensitive("fr_nir", lambda rng: grouped(french_nir(rng), (1, 2, 2, 2, 3, 3, 2)), ("insee", "nir"), "spaces", held_out=True),
    Sensitive("es_dni", spanish_dni, ("dni", "documentoIdentidad", "nif"), "plain"),
    Sensitive("es_dni", lambda rng: (n := spanish_dni(rng))[:8] + "-" + n[8:], ("DNI", "documento"), "dash", held_out=True),
    Sensitive("it_codice_fiscale", fiscal_code, ("codiceFiscale", "cf", "taxCode"), "plain"),
    Sensitive("nl_bsn", checked(bsn, 9, first="12"), ("bsn", "burgerservicenummer"), "plain"),
    Sensitive("pl_pesel", pesel_number, ("pesel", "numerPesel"), "plain"),
    Sensitive("br_cpf", brazilian_cpf, ("cpf", "documento.cpf"), "formatted"),
)  # fmt: skip


def wrong_iban(rng: random.Random) -> str:
    good = account(rng.choice(["DE", "FR", "NL"]), "")(rng)
    return good[:2] + f"{(int(good[2:4]) + 7) % 97:02d}" + good[4:]


def stamp(rng: random.Random) -> str:
    return datetime.fromtimestamp(1_650_000_000 + rng.randrange(90_000_000), UTC).isoformat()


def isbn(rng: random.Random) -> str:
    body = "978" + digits(rng, 9)
    return body + ean.calc_check_digit(body)


LOOK_ALIKES: tuple[LookAlike, ...] = (
    LookAlike("order number passing Luhn", lambda r: with_luhn(r, r.choice(["4", "51", "6011"]), 16), ("orderNumber", "order_id", "order.ref")),
    LookAlike("16-digit tracking number", lambda r: with_luhn(r, r.choice(["42", "55", "1", "9"]), 16), ("trackingNumber", "shipment_id", "parcel")),
    LookAlike("microsecond timestamp", lambda r: str(1_650_000_000_000_000 + r.randrange(10**14)), ("ts_us", "updatedAt", "time")),
    LookAlike("millisecond timestamp", lambda r: str(1_650_000_000_000 + r.randrange(10**11)), ("ts", "createdAt", "exp")),
    LookAlike("uuid", lambda r: str(uuid.UUID(int=r.getrandbits(128), version=4)), ("id", "requestId", "correlation")),
    LookAlike("uuid of digits", lambda r: "-".join(digits(r, n) for n in (8, 4, 4, 4, 12)), ("id", "traceId")),
    LookAlike("ISO time", stamp, ("createdAt", "valid_until", "date")),
    LookAlike("version", lambda r: f"{r.randrange(30)}.{r.randrange(90)}.{r.randrange(99)}-build.{digits(r, 9)}", ("version", "appVersion")),
    LookAlike("git hash", lambda r: letters(r, 40, HEX), ("commit", "sha", "ref")),
    LookAlike("sha256", lambda r: hashlib.sha256(r.randbytes(9)).hexdigest(), ("checksum", "etag", "digest")),
    LookAlike("EAN", lambda r: (b := "40" + digits(r, 10)) + ean.calc_check_digit(b), ("ean", "gtin", "barcode")),
    LookAlike("ISBN", isbn, ("isbn", "isbn13")),
    LookAlike("IBAN with wrong check digits", wrong_iban, ("reference", "payment_ref", "iban_example")),
    LookAlike("base64 image", lambda r: "data:image/png;base64," + base64.b64encode(r.randbytes(r.randrange(300, 1500))).decode(), ("avatar", "thumbnail", "image")),
    LookAlike("base64 of digits", lambda r: base64.b64encode(digits(r, 60).encode()).decode(), ("payload", "cursor", "blob")),
    LookAlike("coordinates", lambda r: f"{r.uniform(-90, 90):.13f},{r.uniform(-180, 180):.12f}", ("position", "geo", "ll")),
    LookAlike("invoice like an SSN", ssn, ("invoice", "invoiceNo", "document_id", "sku")),
    LookAlike("invoice like a phone", lambda r: "0" + digits(r, 3) + "-" + digits(r, 7), ("invoiceNumber", "case", "ticket_id")),
    LookAlike("nine digits", lambda r: digits(r, 9), ("customerId", "quantity", "offset", "user_id")),
    LookAlike("ten and eleven digits", lambda r: r.choice("123456789") + digits(r, r.choice([9, 10])), ("accountId", "ts", "inventory_id", "size")),
    LookAlike("package and version", lambda r: f"@{r.choice(['types', 'nordlicht'])}/{r.choice(['node', 'ui'])}@{r.randrange(20)}.{r.randrange(9)}.1", ("package", "dependency")),
    LookAlike("retina image", lambda r: f"/img/{r.choice(['logo', 'hero'])}@2x.png", ("image", "asset")),
    LookAlike("social handle", lambda r: "@" + r.choice(FIRST) + "_" + r.choice(LAST), ("twitter", "handle", "mention")),
    LookAlike("image digest", lambda r: "registry.local/shop/api@sha256:" + letters(r, 64, HEX), ("image", "container")),
    LookAlike("masked card", lambda r: f"**** **** **** {digits(r, 4)}", ("card", "cardMasked", "payment.last4")),
    LookAlike("card cut to first six", lambda r: f"{r.choice(['4', '5'])}{digits(r, 5)}XXXXXX{digits(r, 4)}", ("card", "pan_masked")),
    LookAlike("price list", lambda r: ",".join(f"{r.uniform(1, 900):.2f}" for _ in range(9)), ("prices", "series")),
    LookAlike("three-part dotted name", lambda r: ".".join(letters(r, n) for n in (12, 30, 20)), ("key", "bundle", "path")),
    LookAlike("hex colour list", lambda r: " ".join("#" + letters(r, 6, HEX) for _ in range(4)), ("palette", "colors")),
    LookAlike("public key", lambda r: "-----BEGIN PUBLIC KEY-----\n" + base64.b64encode(r.randbytes(90)).decode() + "\n-----END PUBLIC KEY-----", ("key", "jwks")),
    LookAlike("placeholder number", lambda r: r.choice(["0000000000000000", "1234567890123456", "000-00-0000", "+00000000000", "1111111111", "0000 0000 0000 0000"]), ("card", "ssn", "phone", "value")),
    LookAlike("IMEI", lambda r: with_luhn(r, "35", 15), ("imei", "deviceImei"), True),
    LookAlike("tracking of a carrier", lambda r: "1Z" + letters(r, 6, string.ascii_uppercase) + digits(r, 10), ("tracking", "parcelNo"), True),
    LookAlike("ULID", lambda r: "01" + letters(r, 24, "0123456789ABCDEFGHJKMNPQRSTVWXYZ"), ("id", "eventId"), True),
    LookAlike("snowflake", lambda r: r.choice("14") + digits(r, 18), ("id", "messageId", "status_id"), True),
    LookAlike("BIC and reference", lambda r: r.choice(["COBADEFF", "BNPAFRPP"]) + digits(r, 14), ("reference", "endToEndId"), True),
    LookAlike("S3 address", lambda r: f"https://files-eu.example/{letters(r, 20)}/{digits(r, 12)}?X-Signature={letters(r, 64, HEX)}", ("url", "downloadUrl"), True),
    LookAlike("VAT number", lambda r: "DE" + digits(r, 9), ("vatId", "ust_id"), True),
    LookAlike("serial number passing Luhn", lambda r: with_luhn(r, r.choice(["37", "4", "2223"]), r.choice([15, 16])), ("serialNumber", "device_serial", "voucher", "batch"), True),
    LookAlike("meter reading", lambda r: digits(r, 3) + " " + digits(r, 3) + " " + digits(r, 4), ("meter", "reading", "zaehler"), True),
    LookAlike("matrix of numbers", lambda r: " ".join(digits(r, 4) for _ in range(8)), ("matrix", "samples"), True),
    LookAlike("opaque cursor", lambda r: "eyJ" + letters(r, 50) + "==", ("cursor", "next", "continuation"), True),
    LookAlike("IP and port", lambda r: ".".join(str(r.randrange(256)) for _ in range(4)) + f":{r.randrange(65535)}", ("peer", "host"), True),
    LookAlike("matrix room and user", lambda r: f"!{letters(r, 10)}:nordlicht", ("room", "sender"), True),
    LookAlike("certificate", lambda r: "-----BEGIN CERTIFICATE-----\n" + base64.b64encode(r.randbytes(90)).decode() + "\n-----END CERTIFICATE-----", ("certificate", "ca"), True),
    LookAlike("date and number", lambda r: f"{r.randrange(2019, 2026)}-{r.randrange(1, 13):02d}-{r.randrange(1, 29):02d}-{digits(r, 5)}", ("reservation", "invoice_id"), True),
    LookAlike("article number with dashes", lambda r: f"{digits(r, 3)}-{digits(r, 2)}-{digits(r, 4)}", ("article", "partNumber", "shelf"), True),
)  # fmt: skip
