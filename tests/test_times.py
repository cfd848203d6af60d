"""No test asserts a time: machines differ in speed, and other programs run at the same time.

This reads the syntax tree of every test. `tests/waiting.py` has the only loop that waits for something.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

TESTS = Path(settings.BASE_DIR) / "tests"
STOPWATCHES = {
    f"{name}{unit}" for name in ("monotonic", "perf_counter", "process_time", "thread_time") for unit in ("", "_ns")
}
CLOCKS = STOPWATCHES | {"time", "time_ns", "now", "utcnow"}
SLEEPS = {"sleep", "wait_for_timeout"}
MEASURING = {"waiting.py", "services/chaos.py"}  # a limit that ends a wait; a long run, which no test starts
# Longer than a busy machine needs for anything that takes a moment on an idle one.
SHORTEST_LIMIT = 30


def clock_called(node: ast.AST, clocks: set[str]) -> bool:
    """Return whether the node calls one of these functions of a module or class, such as `time.monotonic()`."""
    return any(
        isinstance(part, ast.Call)
        and (
            (isinstance(part.func, ast.Attribute) and part.func.attr in clocks and not part.args)
            or (isinstance(part.func, ast.Name) and part.func.id in clocks & STOPWATCHES)
        )
        for part in ast.walk(node)
    )


def durations_of(tree: ast.AST) -> set[str]:
    """Return the names that get a difference with the present time, such as `elapsed = now() - start`."""
    return {
        target.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None
        for part in ast.walk(node.value)
        if isinstance(part, ast.BinOp) and isinstance(part.op, ast.Sub) and clock_called(part.left, CLOCKS)
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(target, ast.Name) and not is_moment(part.right)
    }


def is_moment(node: ast.AST) -> bool:
    """Return whether a time minus this node is a moment, as in `now() - timedelta(days=1)`."""
    return isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) == "timedelta"


def asserts_of_times(source: str) -> list[int]:
    """Return the lines with an assert that depends on how long something took."""
    tree = ast.parse(source)
    found = []
    for function in [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]:
        durations = durations_of(function)
        for node in ast.walk(function):
            if not isinstance(node, ast.Assert):
                continue
            arithmetic = [part for part in ast.walk(node.test) if isinstance(part, ast.BinOp)]
            names = {part.id for part in ast.walk(node.test) if isinstance(part, ast.Name)}
            is_compared = any(isinstance(part, ast.Compare) for part in ast.walk(node.test))
            if (
                clock_called(node.test, STOPWATCHES)
                or any(clock_called(part, CLOCKS) for part in arithmetic)
                or (is_compared and names & durations)
            ):
                found.append(node.lineno)
    return sorted(set(found))


def unexplained_sleeps(source: str) -> list[int]:
    """Return the lines with a fixed wait that have no comment."""
    lines = source.splitlines()
    return [
        node.lineno
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in SLEEPS
        and "#" not in lines[node.lineno - 1]
    ]


def short_limits(source: str) -> list[int]:
    """Return the lines with a limit in `communicate`, `wait`, `join` or `expect`, in seconds or milliseconds."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        for keyword in node.keywords:
            if keyword.arg != "timeout" or not isinstance(keyword.value, ast.Constant):
                continue
            is_milliseconds = node.func.attr.startswith(("to_", "not_to_", "wait_for_"))
            if keyword.value.value < SHORTEST_LIMIT * (1000 if is_milliseconds else 1):
                found.append(node.lineno)
    return found


def files() -> Iterator[tuple[str, str]]:
    """Yield name and source of every file of the tests."""
    for path in sorted(TESTS.rglob("*.py")):
        yield path.relative_to(TESTS).as_posix(), path.read_text()


def found_by(rule, *, without: frozenset[str] = frozenset()) -> list[str]:  # type: ignore[no-untyped-def]
    return [f"tests/{name}:{line}" for name, source in files() if name not in without for line in rule(source)]


def test_no_test_asserts_a_time() -> None:
    assert found_by(asserts_of_times) == []


def test_only_one_module_measures_time() -> None:
    measuring = {name for name, source in files() if clock_called(ast.parse(source), STOPWATCHES)}
    assert measuring - MEASURING == set(), "use wait_for of tests/waiting.py"


def test_every_fixed_wait_has_a_reason_beside_it() -> None:
    assert found_by(unexplained_sleeps) == []


def test_limits_of_waits_are_generous() -> None:
    assert found_by(short_limits) == []


@pytest.mark.parametrize(
    "line",
    [
        "assert time.monotonic() - start < 5",
        "assert perf_counter() < until",
        "elapsed = time.perf_counter() - start; assert elapsed < 1.0",
        "took = timezone.now() - start; assert took.total_seconds() < 5",
        "assert timezone.now() - row.seen_at < timedelta(minutes=5)",
        "assert lease.expires_at > timezone.now() + timedelta(seconds=290)",
        "assert abs(page_time - time.time()) < 60",
    ],
)
def test_an_assert_of_a_time_is_found(line: str) -> None:
    assert asserts_of_times(f"def test_it():\n    {line}\n") == [2]


@pytest.mark.parametrize(
    "line",
    [
        "before = timezone.now(); act(); assert row.seen_at >= before",
        "then = timezone.now() - timedelta(days=1); assert row.seen_at >= then",
        "assert row.seen_at <= timezone.now()",
        "assert job.time(3) == 4",
    ],
)
def test_an_order_of_moments_is_no_time(line: str) -> None:
    assert asserts_of_times(f"def test_it():\n    {line}\n") == []


def test_a_wait_without_a_reason_and_a_short_limit_are_found() -> None:
    assert unexplained_sleeps("time.sleep(1)\ntime.sleep(1)  # polls\n") == [1]
    assert short_limits("process.wait(timeout=5)\nexpect(line).to_have_text('a', timeout=20_000)\n") == [1, 2]
    assert short_limits("process.wait(timeout=60)\nexpect(line).to_have_text('a', timeout=60_000)\n") == []
