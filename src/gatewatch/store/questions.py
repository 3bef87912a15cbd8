"""Questions of runs, answers to them and links that answer, in SQL."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import Engine, and_, func, insert, or_, select, update

from gatewatch.errors import NotFoundError
from gatewatch.model.run import Answer, AnswerLink, Question
from gatewatch.ports.cursors import read_cursor, write_cursor
from gatewatch.ports.runs import QuestionFilter
from gatewatch.store.engine import readers
from gatewatch.store.order import take_turn
from gatewatch.store.run_tables import answer_links, answers, questions

__all__ = ["QuestionTable"]

_QUESTION, _ANSWER = msgspec.msgpack.Decoder(Question), msgspec.msgpack.Decoder(Answer)


class QuestionTable:
    """The part of `ports.runs.RunStore` that is about people."""

    def __init__(self, engine: Engine) -> None:
        self._engine, self._readers = engine, readers(engine)

    def ask(self, question: Question) -> Question:
        """Insert unless known."""
        with self._engine.begin() as connection:
            take_turn(connection)
            body = connection.execute(select(questions.c.body).where(questions.c.id == question.id)).scalar()
            if body is not None:
                return _QUESTION.decode(body)
            connection.execute(insert(questions).values(_row(question)))
        return question

    def question(self, question_id: str) -> Question:
        """One question."""
        with self._readers.connect() as connection:
            body = connection.execute(select(questions.c.body).where(questions.c.id == question_id)).scalar()
        if body is None:
            raise NotFoundError(f"no question {question_id}")
        return _QUESTION.decode(body)

    def questions(self, where: QuestionFilter, *, cursor: str = "", limit: int = 50) -> tuple[list[Question], str]:
        """Newest first."""
        query = select(questions.c.body)
        if where.open is not None:
            query = query.where(questions.c.settled_at.is_(None) == where.open)
        if where.incident:
            query = query.where(questions.c.incident == where.incident)
        if where.run:
            query = query.where(questions.c.run == where.run)
        if cursor:
            at, known = read_cursor(cursor, (float, str))
            before = and_(questions.c.created_at == at, questions.c.id < known)
            query = query.where(or_(questions.c.created_at < at, before))
        query = query.order_by(questions.c.created_at.desc(), questions.c.id.desc()).limit(limit + 1)
        with self._readers.connect() as connection:
            found = [_QUESTION.decode(row.body) for row in connection.execute(query)]
        if len(found) <= limit:
            return found, ""
        last = found[limit - 1]
        return found[:limit], write_cursor(last.created_at, last.id)

    def open_questions(self) -> int:
        """How many wait for people."""
        query = select(func.count()).select_from(questions).where(questions.c.settled_at.is_(None))
        with self._readers.connect() as connection:
            return int(connection.execute(query).scalar_one())

    def answer(self, answer: Answer) -> bool:
        """One per person, and none after the end."""
        row = {"question": answer.question, "by_id": answer.by_id, "at": answer.at}
        with self._engine.begin() as connection:
            take_turn(connection)
            open_ = (questions.c.id == answer.question) & questions.c.settled_at.is_(None)
            own = (answers.c.question == answer.question) & (answers.c.by_id == answer.by_id)
            if connection.execute(select(questions.c.id).where(open_)).scalar() is None:
                return False
            if connection.execute(select(answers.c.by_id).where(own)).scalar() is not None:
                return False
            connection.execute(insert(answers).values(**row, body=msgspec.msgpack.encode(answer)))
        return True

    def answers(self, question_id: str) -> list[Answer]:
        """Oldest first."""
        query = select(answers.c.body).where(answers.c.question == question_id).order_by(answers.c.at, answers.c.by_id)
        with self._readers.connect() as connection:
            return [_ANSWER.decode(row.body) for row in connection.execute(query)]

    def settle(self, question_id: str, choice: str, at: float) -> Question:
        """Close unless closed."""
        with self._engine.begin() as connection:
            take_turn(connection)
            body = connection.execute(select(questions.c.body).where(questions.c.id == question_id)).scalar()
            if body is None:
                raise NotFoundError(f"no question {question_id}")
            known = _QUESTION.decode(body)
            if known.settled_at is not None:
                return known
            settled = msgspec.structs.replace(known, settled=choice, settled_at=at)
            connection.execute(update(questions).where(questions.c.id == question_id).values(_row(settled)))
        return settled

    def put_link(self, link: AnswerLink) -> None:
        """Keep a link."""
        with self._engine.begin() as connection:
            connection.execute(insert(answer_links).values(**msgspec.structs.asdict(link)))

    def link(self, digest: str) -> AnswerLink | None:
        """By the digest of its token."""
        with self._readers.connect() as connection:
            row = connection.execute(select(answer_links).where(answer_links.c.digest == digest)).one_or_none()
        return None if row is None else AnswerLink(**dict(zip(row._fields, row, strict=True)))

    def use_link(self, digest: str, at: float) -> bool:
        """Once."""
        unused = (answer_links.c.digest == digest) & answer_links.c.used_at.is_(None)
        with self._engine.begin() as connection:
            return bool(connection.execute(update(answer_links).where(unused).values(used_at=at)).rowcount)


def _row(question: Question) -> dict[str, Any]:
    return {
        "id": question.id,
        "run": question.run,
        "incident": question.incident,
        "created_at": question.created_at,
        "expires_at": question.expires_at,
        "settled_at": question.settled_at,
        "body": msgspec.msgpack.encode(question),
    }
