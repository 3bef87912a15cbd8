"""Information types: validated, and judged by the field's name."""

from __future__ import annotations

import pytest

from gatewatch.model.observation import Location
from gatewatch.observe.matching import Matcher
from gatewatch.observe.pattern import MatchValue

RECOGNISED = {
    "a card in a card's field": ("card.number", "4111111111111111", "credit_card"),
    "a card in camel case": ("paymentCardNo", "5555555555554444", "credit_card"),
    "a grouped card anywhere": ("note", "4111 1111 1111 1111", "credit_card"),
    "a card in a sentence about cards": ("text", "my visa is 4012888888881881 thanks", "credit_card"),
    "an IBAN": ("iban", "DE89370400440532013000", "iban"),
    "an IBAN in a sentence": ("text", "pay to DE89 3704 0044 0532 0130 00 please", "iban"),
    "a card after its label": ("body", "order: 17\ncard_number: 4012888888881881\n", "credit_card"),
    "a card in a GraphQL argument": ("query", 'mutation { pay(cardNumber: "4012888888881881") { id } }', "credit_card"),
    "a telephone number after its label": ("body", "phone: (212) 555-2368", "phone"),
    "a tax number after its label": ("body", "steuerId: 36574261809", "de_tax_id"),
    "an insurance number after its label": ("query", '{ find(nino: "AB123456C") { id } }', "gb_nino"),
    "an address in a link": ("link", "mailto:bob@example.com", "email"),
    "an e-mail address": ("x", "bob@example.com", "email"),
    "an international telephone number": ("x", "+49 30 901820", "phone"),
    "a national one in its field": ("phone", "(212) 555-2368", "phone"),
    "a token": ("x", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc", "jwt"),
    "a key of AWS": ("x", "AKIAIOSFODNN7EXAMPLE", "aws_access_key"),
    "a secret of AWS": ("aws_secret_key", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "aws_secret_key"),
    "a key of Google": ("x", "AIzaSyD-9tSrke72PouQMnMX-a7eZSW0jkFMBWY", "gcp_api_key"),
    "a token of GitHub": ("x", "ghp_16C7e42F292c6912E7710c838347Ae178B4a", "github_token"),
    "a private key": ("x", "-----BEGIN RSA PRIVATE KEY-----\n" + "MIIEowIBAAKCAQEA" * 4, "private_key"),
    "a token of GitLab": ("x", "glpat-" + "a1B2c3D4e5F6g7H8i9J0", "gitlab_token"),
    "a key of SendGrid": (
        "x",
        "SG." + "aB3dE6gH9jK2mN5pQ8sT1v" + "." + "Zy9Xw8Vu7Ts6Rq5Po4Nm3Lk2Ji1Hg0Fe9Dc8Ba7Zy6X",
        "sendgrid_key",
    ),
    "a card in a German field": ("kartennummer", "4012888888881881", "credit_card"),
    "a card under an order": ("order.card.number", "4012888888881881", "credit_card"),
    "a grouped card in an order's note": ("order.note", "4012 8888 8888 1881", "credit_card"),
    "a social security number with blanks": ("ssn", "536 22 1234", "us_ssn"),
    "a telephone number in a cell phone's field": ("cellphone", "(212) 555-2368", "phone"),
    "a US social security number": ("ssn", "536-22-1234", "us_ssn"),
    "a Spanish DNI": ("dni", "12345678Z", "es_dni"),
    "a French NIR as it is written": ("x", "1 84 12 76 451 089 46", "fr_nir"),
    "an Italian fiscal code": ("x", "RSSMRA85T10A562S", "it_codice_fiscale"),
    "a Dutch BSN": ("bsn", "111222333", "nl_bsn"),
    "a German tax id": ("steuerId", "36574261809", "de_tax_id"),
    "a Polish PESEL": ("pesel", "44051401359", "pl_pesel"),
    "a Brazilian CPF as it is written": ("x", "390.533.447-05", "br_cpf"),
}
NOT_RECOGNISED = {
    "a number after the label of an order": ("body", "order_id: 4012888888881881"),
    "a part after its label": ("body", "sku: 289-20-4789"),
    "a number after no label": ("body", "see 36574261809 there"),
    "credentials in an address": ("x", "https://bob:pw@example.com/"),
    "an order number that passes Luhn": ("order_number", "4539578763621486"),
    "an id that passes Luhn": ("id", "4111111111111111"),
    "a number alone that passes Luhn": ("value", "4539578763621486"),
    "milliseconds": ("ts", "1700000000000"),
    "seconds": ("created", "1700000000"),
    "a picture at double size": ("img", "icon@2x.png"),
    "a version of a package": ("dep", "left-pad@1.3.0"),
    "an address of a shell": ("remote", "git@localhost"),
    "nine digits": ("code", "111222333"),
    "eight digits and a letter": ("code", "12345678Z"),
    "a UUID": ("id", "550e8400-e29b-41d4-a716-446655440000"),
    "a commit": ("sha", "356a192b7913b04c54574d18c28d46e6395428ab"),
    "a placeholder of a key": ("x", "AKIAAAAAAAAAAAAAAAAA"),
    "a wrong IBAN": ("iban", "DE89370400440532013001"),
    "a card with a wrong digit": ("card", "4111111111111112"),
    "a port list": ("ports", "8080 8081 8082 8083"),
    "a price": ("price", "1234567.89"),
    "an address on the net": ("ip", "192.168.100.200"),
    "an invoice in the form of a social security number": ("invoiceNo", "536-22-1234"),
    "a part in the form of a social security number": ("partNumber", "536-22-1234"),
    "an order number in lower case": ("ordernumber", "4539578763621486"),
    "ten digits": ("quantity", "9434765919"),
    "zeros": ("card", "0000000000000000"),
}


@pytest.fixture(scope="module")
def matcher() -> Matcher:
    return Matcher()


def types(matcher: Matcher, name: str, text: str) -> set[str]:
    return {hit.type for hit in matcher.information([MatchValue(Location.RESPONSE_BODY, name, text, text)])}


@pytest.mark.parametrize("case", RECOGNISED)
def test_is_recognised(matcher: Matcher, case: str) -> None:
    name, text, expected = RECOGNISED[case]
    assert types(matcher, name, text) == {expected}


@pytest.mark.parametrize("case", NOT_RECOGNISED)
def test_is_not_recognised(matcher: Matcher, case: str) -> None:
    assert types(matcher, *NOT_RECOGNISED[case]) == set()


def test_hits_are_counted_by_place(matcher: Matcher) -> None:
    values = [MatchValue(Location.RESPONSE_BODY, "users[].email", f"u{n}@example.com", "") for n in range(5)]
    (hit,) = matcher.information(values)
    assert (hit.path, hit.count) == ("users[].email", 5)
