"""Built-in topics: each finds its examples and passes over the others; a broken file is refused with its line."""

import os
from importlib import resources
from pathlib import Path

import pytest

from bot.matching.engine.compiled import verify
from bot.matching.topics import (
    TopicError,
    TopicFile,
    builtin_names,
    builtin_topics,
    check_examples,
    read_folder,
    read_topic,
)
from bot.matching.words.tokens import analyse
from tests.matching import detection
from tests.matching.kit import compiled, slug

TOPICS = builtin_topics()


def test_each_built_in_query_and_list_can_be_read_by_itself() -> None:
    assert read_folder(resources.files("bot.topics")) == TOPICS


@pytest.mark.parametrize(
    ("topic", "text"),
    [(topic, text) for topic in TOPICS for text in topic.matches],
    ids=lambda v: slug(getattr(v, "name", v)),
)
def test_a_topic_finds_its_examples(topic: TopicFile, text: str) -> None:
    assert verify(compiled(topic.query), analyse(text)) is not None


@pytest.mark.parametrize(
    ("topic", "text"),
    [(topic, text) for topic in TOPICS for text in topic.rejects],
    ids=lambda v: slug(getattr(v, "name", v)),
)
def test_a_topic_passes_over_what_only_looks_like_it(topic: TopicFile, text: str) -> None:
    assert verify(compiled(topic.query), analyse(text)) is None


def test_the_five_topics_are_there() -> None:
    assert {topic.name: topic.default for topic in TOPICS} == {
        "blocking": True,
        "outages": True,
        "shutdowns": True,
        "sovereignty": True,
        "utilities": False,
    }
    assert builtin_names() == tuple(topic.name for topic in TOPICS)


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.name)
def test_a_topic_has_enough_examples_in_three_languages(topic: TopicFile) -> None:
    assert len(topic.matches) >= 10
    assert len(topic.rejects) >= 10
    texts = " ".join(topic.matches).lower()
    assert set("ёыэъ") & set(texts)
    assert set("іїєґ") & set(texts)
    assert " the " in texts


needs_posts = pytest.mark.skipif(not detection.SHARED.exists(), reason="the real posts are not part of the project")


@needs_posts
@pytest.mark.parametrize(
    ("label", "precision", "recall"),
    [pytest.param("outage", 0.95, 0.83, id="outages"), pytest.param("sovereignty", 0.95, 0.65, id="sovereignty")],
)
def test_topics_agree_with_people(label: str, precision: float, recall: float) -> None:
    measured = detection.counts(detection.foreign(label))
    assert measured.precision >= precision
    assert measured.recall >= recall


@pytest.mark.parametrize("topic", detection.TOPICS)
def test_topics_know_the_shapes_of_news(topic: str) -> None:
    for posts in (detection.shapes(topic), detection.written(topic, "wide")):
        measured = detection.counts(posts)
        assert measured.precision >= 0.9
        assert measured.recall >= 0.9


def test_the_topics_can_be_read_by_a_person() -> None:
    sizes = [len(topic.source.encode()) for topic in TOPICS]
    assert max(sizes) <= 28_000
    assert sum(sizes) <= 118_000


_FILE = '''default = true
query = """
сбой,
перебой
"""
matches = [
    "Массовый сбой",
    "Перебои со связью",
]
rejects = ["Сборка"]
'''


def test_a_topic_is_read() -> None:
    topic = read_topic("mine", _FILE)
    assert (topic.name, topic.default, topic.rejects) == ("mine", True, ("Сборка",))


_LISTS = """[query]
ru = "sentence:($service $fail)"
en = "$service ~5 down"
[lists]
service = "сайт|$bank"
bank = "банк|касса"
fail = "сбой"
"""


def test_lists_are_written_out_where_they_are_named() -> None:
    topic = read_topic("mine", _LISTS, {"bank": "=Сбер", "other": "свет"})
    assert topic.query == "sentence:((сайт|(банк|касса)) (сбой))\n(сайт|(банк|касса)) ~5 down"


def test_lists_may_stand_beside_the_topics(tmp_path: Path) -> None:
    (tmp_path / "lists.toml").write_text('[lists]\nbank = "банк"', encoding="utf-8")
    (tmp_path / "a.toml").write_text('query = "сбой $bank"', encoding="utf-8")
    assert [topic.query for topic in read_folder(tmp_path)] == ["сбой (банк)"]


@pytest.mark.parametrize(
    ("old", "new", "line", "reason"),
    [
        pytest.param("$fail", "$fails", 2, r"there is no list \$fails", id="unknown"),
        pytest.param("банк|касса", "банк|$service", 5, r"there is no list \$\w+, or it holds itself", id="of itself"),
        pytest.param("~5 down", "~5 down)", 3, r"The bracket closed at character 23 was never", id="after a list"),
        pytest.param('"сбой"', '"(сбой"', 7, r"The bracket opened at character 9 is not closed", id="in a list"),
        pytest.param('"сбой"', "5", 7, "a list has a name of letters and a text", id="no text"),
        pytest.param("[lists]", "[lists]\n1a = 'x'", 5, "a list has a name of letters and a text", id="no name"),
    ],
)
def test_a_wrong_list_is_refused_with_its_line(old: str, new: str, line: int, reason: str) -> None:
    with pytest.raises(TopicError, match=rf"^mine\.toml, line {line}: {reason}"):
        read_topic("mine", _LISTS.replace(old, new))


def test_a_topic_may_be_limited() -> None:
    topic = read_topic("топливо", 'in = ["регуляторы", "@rbc_news"]\nquery = "бензин"')
    assert topic.limits == ("регуляторы", "@rbc_news")
    with pytest.raises(TopicError, match="in must be a list of texts in quotes"):
        read_topic("топливо", 'in = "регуляторы"\nquery = "бензин"')


def test_a_query_is_enough() -> None:
    topic = read_topic("Сбои", 'query = "сбой"')
    assert (topic.name, topic.default, topic.matches, topic.rejects) == ("Сбои", False, (), ())


@pytest.mark.parametrize(
    ("content", "line", "place"),
    [
        pytest.param('query = "сбой (банк"', 1, 15, id="one line"),
        pytest.param('default = true\nquery = """сбой\n(банк"""', 3, 1, id="right after the quotes"),
        pytest.param('query = """\nсбой\n(банк"""', 3, 1, id="a line below the quotes"),
        pytest.param('query = """\r\nсбой\r\n  (банк"""', 3, 3, id="line ends of Windows"),
        pytest.param('query = "сбой\\n(банк"', 1, 16, id="an escaped line end"),
        pytest.param('query = "\\u0441бой\\t\\"банк\\" (банк"', 1, 30, id="other escapes"),
        pytest.param('query = """сбой \\\n\n   банк (дом"""', 3, 9, id="a line that goes on"),
        pytest.param("query = 're:/a\\.b/ (банк'", 1, 20, id="a text without escapes"),
        pytest.param("\"query\" = '''\n(банк'''", 2, 1, id="a key in quotes"),
        pytest.param("query = '''сбой (банк'''", 1, 17, id="one line in three quotes"),
    ],
)
def test_a_bad_query_is_refused_with_its_line_and_the_place_in_it(content: str, line: int, place: int) -> None:
    with pytest.raises(TopicError, match=rf"^mine\.toml, line {line}: The bracket opened at character {place} is not"):
        read_topic("mine", content)


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        pytest.param("default = true", "default = yes", 1, id="not TOML"),
        pytest.param('["Сборка"]', '["Сборка', 10, id="unfinished"),
        pytest.param("default = true", 'default = "true"', 1, id="not a switch"),
        pytest.param("query =", "questions =", 2, id="another key"),
        pytest.param("перебой", "(перебой", 4, id="a bad query"),
        pytest.param('"""\nсбой,\nперебой\n"""', "5", 2, id="a query that is no text"),
        pytest.param('["Сборка"]', "[1]", 10, id="an example that is no text"),
        pytest.param('["Сборка"]', '["Сборка"]\nextra = 1', 11, id="an unknown key"),
    ],
)
def test_a_broken_file_is_refused_with_its_line(old: str, new: str, line: int) -> None:
    with pytest.raises(TopicError, match=rf"^mine\.toml, line {line}: "):
        read_topic("mine", _FILE.replace(old, new))


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        pytest.param("Перебои со связью", "Перерыв", 8, id="not found"),
        pytest.param("Сборка", "Был сбой", 10, id="found"),
    ],
)
def test_a_file_whose_examples_fail_is_refused_with_their_line(old: str, new: str, line: int) -> None:
    topic = read_topic("mine", _FILE.replace(old, new))
    with pytest.raises(TopicError, match=rf"^mine\.toml, line {line}: "):
        check_examples(topic, compiled(topic.query))


def test_a_folder_is_read_by_name(tmp_path: Path) -> None:
    (tmp_path / "Сбои.toml").write_text(_FILE, encoding="utf-8-sig")  # as Windows saves it
    (tmp_path / "a.toml").write_text('query = "сбой"', encoding="utf-8")
    (tmp_path / "notes.txt").write_text("not a topic")
    assert [topic.name for topic in read_folder(tmp_path)] == ["a", "Сбои"]
    assert read_folder(tmp_path / "none") == ()


def test_a_file_in_another_encoding_is_refused_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_bytes(b'default = true\nquery = "' + "сбой".encode("cp1251") + b'"')
    with pytest.raises(TopicError, match="line 2: not in UTF-8"):
        read_folder(tmp_path)


def test_a_file_whose_name_is_no_name_of_a_topic_is_refused() -> None:
    with pytest.raises(TopicError, match="name the file as the topic"):
        read_topic("@mine", _FILE)


def test_files_are_known_by_their_names_however_a_computer_writes_them(tmp_path: Path) -> None:
    for name in ("и\u0306од", " Газ  и свет ", "A"):
        (tmp_path / f"{name}.toml").write_text('query = "сбой"', encoding="utf-8")
    (tmp_path / "Б.TOML").write_text('query = "сбой"', encoding="utf-8")
    for hidden in (".hidden.toml", "._A.toml", ".toml"):
        (tmp_path / hidden).write_bytes(b"\x00\x05\xff")
    assert [topic.name for topic in read_folder(tmp_path)] == ["A", "Б", "Газ и свет", "йод"]


def test_two_files_of_one_name_are_refused(tmp_path: Path) -> None:
    for name in ("и\u0306од", "Йод"):
        (tmp_path / f"{name}.toml").write_text('query = "сбой"', encoding="utf-8")
    with pytest.raises(TopicError, match="another file has this name"):
        read_folder(tmp_path)


def test_what_is_no_file_or_has_no_name_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "1" / "x.toml").mkdir(parents=True)
    (tmp_path / "2").mkdir()
    (tmp_path / "2" / "gone.toml").symlink_to(tmp_path / "nowhere")
    (tmp_path / "3").mkdir()
    (tmp_path / "3" / " .toml").write_text('query = "сбой"', encoding="utf-8")
    for folder, said in (
        ("1", "x.toml, line 1: it cannot be read: Is a"),
        ("2", "gone.toml, line 1: it cannot be read: No such"),
    ):
        with pytest.raises(TopicError, match=said):
            read_folder(tmp_path / folder)
    with pytest.raises(TopicError, match="name the file as the topic"):
        read_folder(tmp_path / "3")


def test_what_would_take_for_ever_is_one_line(tmp_path: Path) -> None:
    for folder, fill, said in (
        ("pipe", os.mkfifo, "it is not a file"),
        ("deep", lambda file: file.write_text(f"query = {'[' * 5000}{']' * 5000}"), "nested too deeply"),
        ("large", lambda file: file.write_bytes(b"#" * (2 << 20)), "more than 1024 KB"),
        (
            "brackets",
            lambda file: file.write_text(f"query = '{'(' * 5000}a{')' * 5000}'"),
            "Brackets or distances are nested too deeply",
        ),
    ):
        (tmp_path / folder).mkdir()
        fill(tmp_path / folder / "mine.toml")
        with pytest.raises(TopicError, match=rf"^mine\.toml, line 1: .*{said}"):
            read_folder(tmp_path / folder)
