"""The code speaks the language of docs/glossary.md."""

import ast
import re
from collections import defaultdict
from functools import cache
from pathlib import Path

import pytest

from bot.store.database import Database

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "glossary.md").read_text("utf-8")
MODULES = sorted((ROOT / "bot").rglob("*.py"))
SECTIONS = dict(zip(("words", "banned", "classes"), PAGE.split("\n## "), strict=True))


def rows(section: str) -> list[list[str]]:
    """Return the cells of a section's table, without its head."""
    lines = [line for line in SECTIONS[section].splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def code(cell: str) -> list[str]:
    return re.findall(r"`(\w+)`", cell)


def parts_of(name: str) -> set[str]:
    """Return the words of a name in snake or camel case."""
    return {word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)}


BANNED = frozenset(word for cells in rows("banned") for word in cells[0].split(", "))


@cache
def trees() -> dict[Path, ast.Module]:
    """Return the product's modules, parsed."""
    return {path.relative_to(ROOT): ast.parse(path.read_text("utf-8")) for path in MODULES}


@cache
def definitions(kinds: tuple[type[ast.AST], ...]) -> list[tuple[Path, str]]:
    nodes = ((path, node) for path, tree in trees().items() for node in ast.walk(tree))
    return [(path, node.name) for path, node in nodes if isinstance(node, kinds)]  # type: ignore[attr-defined]


async def schema(folder: Path) -> dict[str, list[str]]:
    """Return the columns of each table and view of a new database; those of a full-text index are its own."""
    database = await Database.open(folder / "bot.db")
    try:
        found = await database.fetch_all(
            """SELECT t.name AS item, c.name AS field FROM pragma_table_list t, pragma_table_xinfo(t.name) c
            WHERE t.schema = 'main' AND t.type IN ('table', 'view', 'virtual') AND t.name NOT LIKE 'sqlite_%'"""
        )
    finally:
        await database.close()
    tables: defaultdict[str, list[str]] = defaultdict(list)
    for row in found:
        tables[row["item"]].append(row["field"])
    return tables


def classes() -> list[tuple[Path, str]]:
    return definitions((ast.ClassDef,))


def aliases() -> set[str]:
    """Return the names that modules give to unions of classes."""
    assigned = (node for tree in trees().values() for node in tree.body if isinstance(node, ast.Assign))
    return {target.id for node in assigned for target in node.targets if isinstance(target, ast.Name)}


class TestWords:
    def test_each_word_has_a_meaning_and_stands_once(self) -> None:
        words = re.findall(r"^\| \*\*.*?\*\*", SECTIONS["words"], re.MULTILINE)
        assert len(words) == len(set(words)) == len(rows("words"))
        assert all(cells[1] for cells in rows("words"))

    def test_each_class_of_the_page_exists(self) -> None:
        named = {name for cells in rows("words") for name in code(cells[3])}
        assert named - {name for _, name in classes()} - aliases() == set()

    async def test_the_tables_of_the_page_are_those_of_the_schema(self, tmp_path: Path) -> None:
        named = [name for cells in rows("words") for name in code(cells[2])]
        assert sorted(named) == sorted(await schema(tmp_path))


class TestBannedWords:
    def test_modules_use_none(self) -> None:
        names = [path.relative_to(ROOT) for path in MODULES if parts_of(path.stem) & BANNED]
        assert names == []

    @pytest.mark.parametrize(
        "kinds",
        [(ast.ClassDef,), (ast.FunctionDef, ast.AsyncFunctionDef)],
        ids=["classes", "functions"],
    )
    def test_definitions_use_none(self, kinds: tuple[type[ast.AST], ...]) -> None:
        assert [f"{path}: {name}" for path, name in definitions(kinds) if parts_of(name) & BANNED] == []

    async def test_columns_use_none(self, tmp_path: Path) -> None:
        columns = (f"{table}.{column}" for table, names in (await schema(tmp_path)).items() for column in names)
        assert [column for column in columns if parts_of(column) & BANNED] == []

    @pytest.mark.parametrize("name", ["retell", "_told_of", "ToldPost", "is_heard", "gather_all"])
    def test_they_are_found_in_any_case(self, name: str) -> None:
        assert parts_of(name) & BANNED


def test_no_class_name_stands_in_two_modules_of_the_product() -> None:
    places: defaultdict[str, list[Path]] = defaultdict(list)
    for path, name in classes():
        if not path.is_relative_to("bot/sandbox"):
            places[name].append(path)
    assert {name: found for name, found in places.items() if len(found) > 1} == {}
