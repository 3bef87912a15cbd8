"""Playbooks kept, run, asked about, simulated."""

from __future__ import annotations

from gatewatch.services.playbooks.answering import Answering
from gatewatch.services.playbooks.changing import Changing
from gatewatch.services.playbooks.desk import PlaybookDesk
from gatewatch.services.playbooks.library import Library
from gatewatch.services.playbooks.links import AnswerLinks
from gatewatch.services.playbooks.running import Runs
from gatewatch.services.playbooks.signing import Signing
from gatewatch.services.playbooks.simulating import Simulating
from gatewatch.services.playbooks.world import RealWorld, Surrounding

__all__ = [
    "AnswerLinks",
    "Answering",
    "Changing",
    "Library",
    "PlaybookDesk",
    "RealWorld",
    "Runs",
    "Signing",
    "Simulating",
    "Surrounding",
]
