"""A bundle verifies as it was made, and in no other way."""

from __future__ import annotations

import random
from collections.abc import Callable
from hashlib import sha256
from io import BytesIO
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gatewatch.errors import InputError
from gatewatch.formats.evidence import bundle, fingerprint, public_pem, read_public, verify
from gatewatch.formats.evidence.bundle import packed
from gatewatch.formats.evidence.keys import read_fingerprint
from gatewatch.formats.review import Moments
from gatewatch.model.review import content_digest
from gatewatch.testing.cases import case_file

KEY, OTHER = Ed25519PrivateKey.from_private_bytes(bytes(32)), Ed25519PrivateKey.from_private_bytes(bytes([1] * 32))
OBSERVATIONS = b"".join(b'{"id":"o%d-%d"}\n' % (a, n) for a in range(3) for n in range(2))
Files = dict[str, bytes]


def public(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def made(key: Ed25519PrivateKey = KEY) -> bytes:
    return bundle(
        case_file(fingerprint=fingerprint(public(key))),
        OBSERVATIONS,
        ["gone"],
        moments=Moments("Europe/Berlin"),
        public_key=public(key),
        sign=key.sign,
    )


@pytest.fixture(scope="module")
def good() -> bytes:
    return made()


def files_of(data: bytes) -> Files:
    with ZipFile(BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def codes(data: bytes, expected: str = "") -> set[str]:
    found = verify(BytesIO(data), expected_key=expected)
    assert found.intact == (not found.faults)
    return {fault.code for fault in found.faults}


def flipped(data: bytes) -> bytes:
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]


def signed_again(files: Files, key: Ed25519PrivateKey = KEY) -> Files:
    """What somebody could do who has the key, or makes one: hashes and signature fit again."""
    manifest = msgspec.json.decode(files["manifest.json"])
    for entry in manifest["files"]:
        data = files[entry["name"]]
        entry |= {"size": len(data), "sha256": sha256(data).hexdigest()}
    text = msgspec.json.encode(manifest)
    return files | {"manifest.json": text, "manifest.sig": key.sign(text)}


def test_a_good_bundle_is_intact(good: bytes) -> None:
    found = verify(BytesIO(good), expected_key=fingerprint(public(KEY)))
    assert (found.intact, found.key_expected, found.faults) == (True, True, ())
    assert found.manifest is not None
    assert (found.files, found.activities) == (len(files_of(good)) - 2, 4)
    assert found.manifest.observations_missing == ("gone",)
    assert found.manifest.incident == 7


def test_the_same_case_gives_the_same_octets(good: bytes) -> None:
    assert made() == good
    with ZipFile(BytesIO(good)) as archive:
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        names = archive.namelist()
    assert names[:2] == ["manifest.json", "manifest.sig"]
    assert names[2:] == sorted(names[2:])


def test_without_a_key_it_says_whose_it_is_and_vouches_for_nobody(good: bytes) -> None:
    found = verify(BytesIO(good))
    assert (found.intact, found.key, found.key_expected) == (True, fingerprint(public(KEY)), False)


def test_a_changed_octet_in_any_file_is_found(good: bytes) -> None:
    files = files_of(good)
    assert len(files) > 12
    for name, data in files.items():
        if data:
            changed = packed(files | {name: flipped(data)})
            found = verify(BytesIO(changed))
            assert not found.intact, name
            assert {fault.code for fault in found.faults} <= {"hash", "signature", "key", "manifest"}, name


def test_a_changed_octet_anywhere_in_the_zip_never_breaks_the_reader(good: bytes) -> None:
    chance = random.Random(7)
    for _ in range(300):
        at = chance.randrange(len(good))
        data = good[:at] + bytes([good[at] ^ (1 << chance.randrange(8))]) + good[at + 1 :]
        found = verify(BytesIO(data))
        if found.intact:  # an octet that carries nothing, such as a file's time
            assert files_of(data) == files_of(good)


TAMPERED: dict[str, tuple[Callable[[Files], Files], set[str]]] = {
    "a file is left out": (lambda f: {n: d for n, d in f.items() if n != "alerts.ndjson"}, {"missing"}),
    "a file is added": (lambda f: f | {"more.txt": b"x"}, {"extra"}),
    "a file is longer": (lambda f: f | {"story.json": f["story.json"] + b" "}, {"size"}),
    "a file is shorter": (lambda f: f | {"story.json": f["story.json"][:-1]}, {"size"}),
    "two files are swapped": (
        lambda f: f | {"story.json": f["graph.json"], "graph.json": f["story.json"]},
        {"size"},
    ),
    "the manifest is another": (lambda f: f | {"manifest.json": f["manifest.json"] + b"\n"}, {"signature"}),
    "there is no manifest": (lambda f: {n: d for n, d in f.items() if n != "manifest.json"}, {"missing"}),
    "there is no signature": (lambda f: {n: d for n, d in f.items() if n != "manifest.sig"}, {"missing"}),
    "the signature is too long": (lambda f: f | {"manifest.sig": bytes(65)}, {"size"}),
    "the key is no key": (lambda f: f | {"signing-key.pem": b"no"}, {"key"}),
    "a path leads out": (lambda f: f | {"../x": b""}, {"unsafe-name"}),
    "a path is absolute": (lambda f: f | {"/etc/x": b""}, {"unsafe-name"}),
    "nothing is left": (lambda _: {}, {"missing"}),
}


@pytest.mark.parametrize("name", TAMPERED)
def test_tampering_is_named(good: bytes, name: str) -> None:
    change, expected = TAMPERED[name]
    assert codes(packed(change(files_of(good)))) == expected


def test_somebody_elses_key_is_found_when_one_is_asked_for(good: bytes) -> None:
    files = files_of(good) | {"signing-key.pem": public_pem(public(OTHER))}
    assert codes(packed(files)) == {"signature"}
    resigned = packed(signed_again(files, OTHER))
    assert codes(resigned) == {"manifest"}, "the manifest names the key that was"
    whole = made(OTHER)
    assert codes(whole) == set()
    assert codes(whole, fingerprint(public(KEY))) == {"other-key"}


def with_entry(files: Files, number: int, **changes: object) -> Files:
    lines = [msgspec.json.decode(line) for line in files["activities.ndjson"].splitlines()]
    lines[number]["entry"] |= changes
    return files | {"activities.ndjson": b"".join(msgspec.json.encode(line) + b"\n" for line in lines)}


def without_line(files: Files, number: int) -> Files:
    lines = files["activities.ndjson"].splitlines(keepends=True)
    return files | {"activities.ndjson": b"".join(lines[:number] + lines[number + 1 :])}


INSIDE: dict[str, tuple[Callable[[Files], Files], str]] = {
    "an entry says something else": (lambda f: with_entry(f, 1, text="nothing happened"), "chain"),
    "an entry has another time": (lambda f: with_entry(f, 1, at=1.0), "chain"),
    "an entry has a digest of its own": (lambda f: with_entry(f, 1, digest="00"), "chain"),
    "the shown time is another": (
        lambda f: f | {"activities.ndjson": f["activities.ndjson"].replace(b"T12:00:30", b"T12:00:31", 1)},
        "chain",
    ),
    "a line is no entry": (lambda f: f | {"activities.ndjson": b"{}\n"}, "chain"),
    "the review says something else": (
        lambda f: f | {"review.json": f["review.json"].replace(b"Team Orders", b"Team Others")},
        "review",
    ),
    "the review is none": (lambda f: f | {"review.json": b"[]"}, "review"),
}


@pytest.mark.parametrize("name", INSIDE)
def test_who_has_the_key_still_can_not_make_files_disagree(good: bytes, name: str) -> None:
    change, expected = INSIDE[name]
    assert codes(packed(signed_again(change(files_of(good))))) == {expected}


def test_an_entry_that_is_left_out_changes_what_is_signed(good: bytes) -> None:
    """A gap is what the log of several incidents looks like; the manifest's hash finds it all the same."""
    files = without_line(files_of(good), 1)
    assert codes(packed(files)) == {"size"}


def test_traps_are_not_opened(good: bytes) -> None:
    bomb = BytesIO()
    with ZipFile(bomb, "w", ZIP_DEFLATED) as archive:
        for name in ("manifest.json", "manifest.sig", "signing-key.pem"):
            archive.writestr(ZipInfo(name), bytes(64))
        archive.writestr("x", bytes(64 * 1024 * 1024))
    assert codes(bomb.getvalue()) <= {"key", "signature"}
    assert codes(packed({f"f{n}": b"" for n in range(200)})) == {"too-large"}
    assert codes(b"no zip") == {"not-a-bundle"}
    assert codes(b"") == {"not-a-bundle"}
    assert codes(good[: len(good) // 2]) == {"not-a-bundle"}
    assert codes(b"something before" + good) == {"extra"}
    twice = BytesIO(good)
    with ZipFile(twice, "a") as archive:
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("story.json", b"{}")
        archive.comment = b"hidden"
    assert codes(twice.getvalue()) == {"duplicate", "extra"}


def test_a_review_that_was_not_signed_is_in_the_bundle_too() -> None:
    case = case_file(fingerprint=fingerprint(public(KEY)))
    review = msgspec.structs.replace(case.review, sign_off=None)
    case = msgspec.structs.replace(case, review=review, review_digest=content_digest(review))
    data = bundle(case, b"", [], moments=Moments(), public_key=public(KEY), sign=KEY.sign)
    assert codes(data) == set()


def test_keys_are_read_as_people_write_them() -> None:
    whole = fingerprint(public(KEY))
    digits = whole.removeprefix("sha256:")
    colons = ":".join(digits[n : n + 2] for n in range(0, 64, 2)).upper()
    assert {read_fingerprint(text) for text in (whole, digits, colons, f" SHA256:{colons} ")} == {whole}
    assert read_public(public_pem(public(KEY))) == public(KEY)
    for wrong in (digits[:-1], "x" * 64, ""):
        with pytest.raises(InputError):
            read_fingerprint(wrong)
    with pytest.raises(InputError):
        read_public(b"-----BEGIN PUBLIC KEY-----\n")
