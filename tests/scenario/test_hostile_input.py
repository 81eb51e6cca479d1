"""Scenarios, sweeps and `--set` values of strangers: read or refused in few words, and never a traceback or a wait."""

import time
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flnft_sim.errors import InputError
from flnft_sim.scenario import describe_fields, find_scenario, load_scenario, parse_settings, scenario_names
from flnft_sim.sweeps import FlnftSimulator, load_plan
from flnft_sim.sweeps.runs import Runs

LIMIT_S = 10.0  # of processor time for one input; most take a few milliseconds
FIELDS = [row["field"] for row in describe_fields()]
SHIPPED = [find_scenario(name).read_text(encoding="utf-8") for name in scenario_names()]

#: Scalars that YAML 1.1 or Python or we might stumble over.
odd = st.sampled_from(
    [
        *(
            "010",
            "0o17",
            "1:30",
            "yes",
            "~",
            "none",
            "null",
            "true",
            ".inf",
            ".nan",
            "-.inf",
            "1e999",
            "-1e-999",
            "1_000",
        ),
        *(
            "2001-13-45",
            "2001-01-01",
            "12:60:61",
            "=",
            "<<",
            "*a",
            "&a x",
            "!!int x",
            "!!python/name:os.system",
            "|",
            ">",
        ),
        *(
            "9" * 5000,
            "-" + "9" * 400,
            "0x" + "f" * 300,
            "'" * 5,
            '"',
            '"\\ud800"',
            "a: b",
            "- 1",
            "[",
            "{",
            "}",
            "]",
            ",",
        ),
        *("[1, 2", "{a: 1, a: 2}", "[[[[[[]]]]]]", "x" * 3000, "\t", "\x00", "\x85", "\ufeff", "\ud800", "é", "𝄞", "%"),
        *(
            "-1",
            "0",
            "1",
            "2",
            "0.5",
            "1e18",
            "1e-300",
            "9007199254740993",
            "[1, 5]",
            "[5, 1]",
            "[true, 2]",
            "{}",
            "[]",
        ),
    ]
)
names = st.sampled_from(
    [*FIELDS, *(field.rpartition(".")[2] for field in FIELDS), *(field.partition(".")[0] for field in FIELDS)]
)
keys = names | st.sampled_from(
    ["extends", "scenario", "grid", "zip", "seeds", "set", "name", "<<", "1", "true", "", "?"]
)
leaves = odd | st.integers().map(str) | st.floats().map(str) | st.text(max_size=12)
plain = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=9)
    | st.integers(300, 4000).map(lambda digits: 10**digits)
)
values = st.recursive(
    plain, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4), max_leaves=10
)


@st.composite
def texts(draw):
    """Lines like those of a scenario, with indentation and scalars at random, or a shipped file with damage."""
    if draw(st.booleans()):
        text = draw(st.sampled_from(SHIPPED))
        for _ in range(draw(st.integers(1, 4))):
            at, gone = draw(st.integers(0, len(text))), draw(st.integers(0, 20))
            text = text[:at] + draw(leaves | st.sampled_from([": ", "\n", "  "])) + text[at + gone :]
        return text
    lines = draw(st.lists(st.tuples(st.integers(0, 4), keys, leaves | st.just("")), max_size=9))
    return "\n".join(f"{'  ' * depth}{key}: {value}" for depth, key, value in lines)


def tried(*strategies):
    """A function of so many examples that tries what it decorates: hypothesis lets its settings be given once only."""

    def of(attempt):
        def many(examples):
            once_given = given(*strategies)(attempt)
            settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck))(once_given)()

        many.__name__ = attempt.__name__
        return many

    return of


def check(read, *args, **options):
    """Whatever is read, it is read or refused soon, in sentences that a person can read."""
    start_s = time.process_time()
    try:
        read(*args, **options)
    except InputError as error:
        lines = str(error).split("\n")
        assert lines[0] and len(str(error)) < 20_000 and max(map(len, lines)) < 2000, str(error)[:500]
    assert time.process_time() - start_s < LIMIT_S


def read_sweep(path):
    Runs(load_plan(path), FlnftSimulator())


@tried(texts())
def scenario_files(text):
    path = _file(text)
    check(load_scenario, path)


@tried(texts())
def sweep_files(text):
    check(read_sweep, _file(text))


@tried(st.lists(st.builds("{}={}".format, keys, leaves), max_size=3), st.integers(-2, 2**64) | st.none())
def settings_of_the_command_line(words, seed):
    check(lambda: load_scenario("tiny", overrides=parse_settings(words), seed=seed))


@tried(st.dictionaries(keys, values, max_size=4))
def overrides_from_python(fields):
    check(load_scenario, "tiny", overrides=fields)


@tried(st.dictionaries(keys, values, max_size=5))
def sweeps_from_python(fields):
    check(read_sweep, {"scenario": "tiny", **fields})


@tried(values, st.sampled_from(["scenario", "json"]))
def dumped_values(value, ending):
    path = _file("", ending="json" if ending == "json" else "yaml")
    try:
        path.write_text(yaml.safe_dump(value), encoding="utf-8")
    except (ValueError, UnicodeError):
        return
    check(load_scenario, path)


def _file(text, *, ending="yaml"):
    path = Path(FOLDER[0]) / f"hostile.{ending}"
    path.write_bytes(text.encode("utf-8", errors="surrogatepass"))
    return path


FOLDER: list[str] = []


@pytest.fixture(autouse=True)
def folder(tmp_path):
    """Where hypothesis writes the file it is at."""
    FOLDER[:] = [str(tmp_path)]


KINDS = (
    scenario_files,
    sweep_files,
    settings_of_the_command_line,
    overrides_from_python,
    sweeps_from_python,
    dumped_values,
)


@pytest.mark.parametrize("kind", KINDS)
def test_a_few_hostile_inputs_are_read_or_refused(kind):
    kind(40)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_thousands_of_hostile_inputs_are_read_or_refused(kind):
    kind(2000)
