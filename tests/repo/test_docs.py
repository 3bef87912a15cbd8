"""Documentation is generated, complete and true."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from scripts.generate_docs import PAGES

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


@pytest.mark.parametrize("page", PAGES)
def test_reference_pages_are_what_the_code_says(page: str) -> None:
    assert (ROOT / "docs" / "reference" / page).read_text() == PAGES[page](), "run `make docs`"


def test_every_setting_says_what_it_is_about() -> None:
    rows = [line for line in (ROOT / "docs/reference/settings.md").read_text().splitlines() if line.startswith("| `")]
    assert len(rows) > 80
    assert [row for row in rows if row.endswith("|  |")] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", document.read_text()):
        if "://" not in target:
            assert (document.parent / target).exists(), target


def test_openapi_is_version_3_1() -> None:
    assert json.loads((ROOT / "docs/reference/openapi.json").read_text())["openapi"].startswith("3.1")


def test_commands_in_the_documentation_exist() -> None:
    known = (ROOT / "docs/reference/command-line.md").read_text()
    for document in DOCUMENTS:
        for command in re.findall(r"^\s*gatewatch ([a-z-]+(?: [a-z-]+)?)", document.read_text(), re.MULTILINE):
            words = command.split()
            assert any(f"`gatewatch {' '.join(words[:n])}`" in known for n in (1, 2)), command


def test_make_targets_in_the_documentation_exist() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for document in DOCUMENTS:
        assert set(re.findall(r"`make ([a-z]+)", document.read_text())) <= targets, document
