"""Answers as signed records: what was shown, who chose what, when; checked before a run goes on."""

from __future__ import annotations

from base64 import b64decode, b64encode
from binascii import Error
from collections.abc import Sequence
from hashlib import sha256

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from gatewatch.model.run import Answer, AnswerKind, Question, QuestionKind
from gatewatch.ports.signing import Signer

__all__ = ["Signing"]

_HEADER = b"gatewatch.answer/v1\n"


class Signing:
    """With the installation's key."""

    def __init__(self, signer: Signer) -> None:
        self._signer = signer
        self._key = Ed25519PublicKey.from_public_bytes(signer.public_key)
        self.key_id = sha256(signer.public_key).hexdigest()[:16]
        """Tells keys apart."""

    def signed(self, answer: Answer) -> Answer:
        """The record with its signature."""
        plain = msgspec.structs.replace(answer, key_id=self.key_id, signature="")
        return msgspec.structs.replace(plain, signature=b64encode(self._signer.sign(_message(plain))).decode())

    def holds(self, answer: Answer) -> bool:
        """Whether it is as it was signed here."""
        try:
            self._key.verify(b64decode(answer.signature, validate=True), _message(answer))
        except (InvalidSignature, ValueError, Error):
            return False
        return True

    def choice_of(self, question: Question, answers: Sequence[Answer]) -> tuple[str, str]:
        """(choice, by whom) that valid answers to exactly this question reach; ('', '') while they reach none.

        One refusal is a refusal; an approval needs as many different people as the question says.
        """
        valid = [
            answer
            for answer in answers
            if self.holds(answer)
            and answer.question == question.id
            and answer.run == question.run
            and answer.digest == question.digest
            and answer.choice in question.options
        ]
        if question.kind is not QuestionKind.APPROVAL:
            return (valid[0].choice, valid[0].by) if valid else ("", "")
        refused = next((answer for answer in valid if answer.choice != "approve"), None)
        if refused is not None:
            return refused.choice, refused.by
        # By name: a person may have two tokens, for the portal and a script say, and is one nevertheless.
        people = dict.fromkeys(answer.by for answer in valid if answer.kind is not AnswerKind.EXPIRY)
        if len(people) >= question.approvers:
            return "approve", ", ".join(people)
        return "", ""


def _message(answer: Answer) -> bytes:
    plain = msgspec.structs.replace(answer, signature="")
    return _HEADER + msgspec.json.encode(plain, order="deterministic")
