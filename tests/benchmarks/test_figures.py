from collections.abc import Iterator
from pathlib import Path
from statistics import mean, median

import pytest

from tests.benchmarks import __main__ as benchmarks
from tests.benchmarks import figures, texts
from tests.benchmarks.figures import Cost, Goal, Row, Run, cost, in_turn, percentile, rate_row, ratios
from tests.benchmarks.texts import MARK, Texts
from tests.matching import detection

AT_LEAST_HALF = Goal(limit=0.5, at_most=False)


def run(wall: float, *, client_cpu: float = 0.5, server_cpu: float = 0.1) -> Run:
    return Run(posts=1000, wall=wall, client_cpu=client_cpu, server_cpu=server_cpu)


def spent(*, server: float, client: float) -> Cost:
    return Cost(cpu=100, server=server, client=client)


def row(ratio: float, ours: Cost | None = None, bare: Cost | None = None) -> Row:
    return Row(name="row", ours="", bare="", ratio=ratio, goal=AT_LEAST_HALF, ours_cost=ours, bare_cost=bare)


def test_both_sides_are_measured_in_turn_and_the_first_pair_is_not_counted() -> None:
    order: list[str] = []

    def side(name: str) -> int:
        order.append(name)
        return len(order)

    ours, bare = in_turn(lambda: side("A"), lambda: side("B"), rounds=5)
    assert "".join(order) == "AB" * 6
    assert ours == [3, 5, 7, 9, 11]
    assert bare == [4, 6, 8, 10, 12]


def test_fewer_than_five_rounds_are_refused() -> None:
    with pytest.raises(ValueError, match="4 rounds"):
        in_turn(lambda: 1, lambda: 1, rounds=4)


def test_a_slow_moment_of_the_machine_slows_both_sides_of_a_ratio() -> None:
    assert ratios([1, 10, 2], [2, 20, 4]) == [0.5, 0.5, 0.5]


def test_the_cost_of_a_side_is_the_median_of_its_rounds() -> None:
    found = cost([run(1, client_cpu=0.2), run(2, client_cpu=0.4), run(1, client_cpu=9)])
    assert found == Cost(cpu=pytest.approx(400), server=pytest.approx(0.1), client=pytest.approx(0.2))


def test_percentiles_are_taken_between_the_least_and_the_greatest_sample() -> None:
    samples = [float(n) for n in range(101)]
    assert [percentile(samples, percent) for percent in (1, 50, 99)] == [1, 50, 99]


@pytest.mark.parametrize(
    ("server", "client", "void"),
    [
        pytest.param(0.1, 1.0, False, id="the client computes all the time"),
        pytest.param(0.5, 0.5, False, id="they take turns"),
        pytest.param(0.81, 0.3, True, id="the server computes nearly all the time"),
        pytest.param(0.75, 1.2, True, id="both together take all cores"),
    ],
)
def test_a_row_is_void_where_the_server_or_the_machine_was_the_bottleneck(
    server: float, client: float, *, void: bool
) -> None:
    idle, measured = spent(server=0, client=0), spent(server=server, client=client)
    assert {row(1, measured, idle).verdict(2), row(1, idle, measured).verdict(2)} == {"void" if void else "met"}


def test_a_ratio_is_held_against_its_goal() -> None:
    assert [row(ratio).verdict(2) for ratio in (0.49, 0.5, 0.51)] == ["missed", "met", "met"]
    at_most = Goal(limit=1.5, at_most=True)
    assert [at_most.is_met(ratio) for ratio in (1.49, 1.5, 1.51)] == [True, True, False]


def test_rates_are_compared_round_by_round() -> None:
    found = rate_row("row", [run(2), run(4), run(2)], [run(1), run(1), run(1)], goal=AT_LEAST_HALF)
    assert (found.ours, found.bare, found.ratio) == ("500/s", "1,000/s", pytest.approx(0.5))
    assert found.verdict(2) == "met"


def test_without_the_real_posts_a_table_is_skipped_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(figures, "REAL_POSTS", tmp_path / "posts.jsonl")
    monkeypatch.setattr("sys.argv", ["benchmarks", "searching", "matching"])
    benchmarks.main()
    told = [line for line in capsys.readouterr().out.splitlines() if "skipped" in line]
    reason = f"skipped, the real posts are not here: {tmp_path / 'posts.jsonl'}"
    assert told == [f"matching: {reason}", f"searching: {reason}"]


def test_without_the_real_posts_the_topics_are_judged_on_the_written_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(detection, "SHARED", tmp_path / "data")
    monkeypatch.setattr("sys.argv", ["detection", "--errors"])
    detection.main()
    first, *rest = capsys.readouterr().out.splitlines()
    assert first == f"the real posts are skipped, they are not here: {tmp_path / 'data'}"
    assert rest[0].startswith("written tune")


@pytest.fixture
def own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Texts]:
    """Texts as a clone of the project alone has them."""
    monkeypatch.setattr(figures, "REAL_POSTS", tmp_path / "posts.jsonl")
    texts.pool.cache_clear()
    yield Texts(seed=3)
    texts.pool.cache_clear()


def test_posts_of_our_own_have_the_size_of_real_ones_and_a_number_each(own: Texts) -> None:
    posts = [own.next() for _ in range(2000)]
    lengths = [len(text) for _, text in posts]
    assert 320 < mean(lengths) < 420
    assert 200 < median(lengths) < 320
    assert [number for number, _ in posts] == list(range(1, 2001))
    assert [MARK.findall(text) for _, text in posts] == [[str(number)] for number, _ in posts]


def test_posts_of_outages_say_each_something_else(own: Texts) -> None:
    posts = [own.outage()[1] for _ in range(100)]
    assert len({MARK.sub("", text) for text in posts}) == 100
