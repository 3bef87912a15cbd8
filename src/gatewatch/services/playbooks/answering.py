"""Answers of people: who may give them, what they bind to, and the news for the run that waits."""

from __future__ import annotations

from hashlib import sha256

from gatewatch.errors import ConflictError, InputError, NotFoundError
from gatewatch.model.activity import Activity, Origin, Subject
from gatewatch.model.run import Answer, AnswerKind, AnswerLink, Question, QuestionKind
from gatewatch.ports.cases import CaseStore
from gatewatch.ports.clock import Clock
from gatewatch.ports.control import Role, Token
from gatewatch.ports.runs import Durable, QuestionFilter, RunStore
from gatewatch.services.access import ForbiddenError
from gatewatch.services.playbooks.links import digest_of_token
from gatewatch.services.playbooks.signing import Signing

__all__ = ["Answering"]

_ORDER = (Role.VIEWER, Role.ANALYST, Role.RESPONDER, Role.ADMIN)
_SWEEP, _LONGEST_ID = 500, 128


class Answering:
    """Thread-safe."""

    def __init__(self, store: RunStore, cases: CaseStore, durable: Durable, signing: Signing, clock: Clock) -> None:
        self._store, self._cases, self._durable = store, cases, durable
        self._signing, self._clock = signing, clock

    def questions(self, where: QuestionFilter, *, cursor: str = "", limit: int = 50) -> tuple[list[Question], str]:
        """A page, newest first."""
        return self._store.questions(where, cursor=cursor, limit=limit)

    def question(self, question_id: str) -> tuple[Question, list[Answer]]:
        """With its answers, oldest first. Raises NotFoundError."""
        return self._store.question(question_id), self._store.answers(question_id)

    def answer(self, question_id: str, choice: str, *, token: Token, digest: str, note: str = "") -> Question:
        """By a person with a token.

        `digest` is of the plan that this person saw. Raises NotFoundError, ForbiddenError, InputError for no such
        option; ConflictError for another plan, a question that is closed, or a second answer.
        """
        question = self._store.question(question_id)
        if _ORDER.index(token.role) < _ORDER.index(Role(question.role)):
            raise ForbiddenError(f"a token of role {token.role.value} may not answer this; it needs {question.role}")
        self._check_key(question)
        if digest != question.digest:
            raise ConflictError("this is not the plan that the question is about", cure="Read the question again.")
        return self._keep(question, choice, token.name, f"token:{token.id}", AnswerKind.PORTAL, note)

    def seen(self, token: str) -> tuple[Question, AnswerLink]:
        """What a link would answer. Raises NotFoundError for one that is unknown or used."""
        link = self._store.link(digest_of_token(token))
        if link is None or link.used_at is not None:
            raise _nothing()
        return self._store.question(link.question), link

    def answer_by_link(self, token: str, *, note: str = "") -> Question:
        """By whoever got the link; it works once.

        Raises NotFoundError, ConflictError; ForbiddenError to approve what needs different people.
        """
        question, link = self.seen(token)
        if link.option == "approve" and (question.approvers > 1 or question.four_eyes):
            # A link does not say who follows it: one person with a token and a mail would count as two.
            raise ForbiddenError("this wants different people, who have to sign in to approve it")
        self._check_key(question)
        if not self._store.use_link(link.digest, self._clock.now()):
            raise _nothing()
        by = f"link to {link.recipient}"
        # A message may go to many people; the store keeps ids of so many characters.
        by_id = by if len(by) <= _LONGEST_ID else f"link {sha256(by.encode()).hexdigest()}"
        return self._keep(question, link.option, by, by_id, AnswerKind.LINK, note)

    def sweep(self) -> int:
        """Tell runs of answers again: the news may have been lost between the answer and the telling."""
        told = 0
        cursor = ""
        while True:
            page, cursor = self._store.questions(QuestionFilter(open=True), cursor=cursor, limit=_SWEEP)
            for question in page:
                answers = self._store.answers(question.id)
                if answers:
                    self._durable.tell(question.address, f"question:{question.id}", f"{question.id}:{len(answers)}")
                    told += 1
            if not cursor:
                return told

    def _check_key(self, question: Question) -> None:
        if question.key_id not in ("", self._signing.key_id):
            raise ConflictError(
                "the server that asks would not know this answer: it signs with another key",
                cure="Answer there, and give all servers of one control store the same `signing_key_file`.",
            )

    def _keep(self, question: Question, choice: str, by: str, by_id: str, kind: AnswerKind, note: str) -> Question:
        now = self._clock.now()
        if choice not in question.options:
            raise InputError(f"`{choice}` is none of {', '.join(question.options)}")
        if question.settled_at is not None or now >= question.expires_at:
            raise ConflictError("the question is closed", cure="See the run for what became of it.")
        approves = question.kind is QuestionKind.APPROVAL and choice == "approve"
        if approves and question.four_eyes and by == question.asked_by:
            raise ForbiddenError("who started the run can't approve it: it wants four eyes")
        answer = self._signing.signed(
            Answer(
                question=question.id,
                run=question.run,
                digest=question.digest,
                choice=choice,
                by=by,
                by_id=by_id,
                kind=kind,
                note=note[:2000],
                at=now,
            )
        )
        if not self._store.answer(answer):
            raise ConflictError("you have answered this, or it is closed", cure="An answer can't be taken back.")
        self._record(question, answer)
        answers = len(self._store.answers(question.id))
        self._durable.tell(question.address, f"question:{question.id}", f"{question.id}:{answers}")
        return self._store.question(question.id)

    def _record(self, question: Question, answer: Answer) -> None:
        entry = Activity(
            at=answer.at,
            origin=Origin.PERSON,
            by=answer.by,
            subject=Subject.RUN,
            subject_id=question.run,
            incident=question.incident,
            action="answered",
            text=f"{question.text} {answer.choice}." + (f" {answer.note}" if answer.note else ""),
            details={"question": question.id, "plan": question.digest, "choice": answer.choice},
        )
        with self._cases.unit(answer.at) as unit:
            unit.record([entry])


def _nothing() -> NotFoundError:
    """The same for tokens that were used and that never were: it tells nothing of which."""
    return NotFoundError("this link answers nothing", cure="It was used, or it is not from here.")
