"""YAML of strangers: nothing written is lost, numbers are what YAML 1.2 and Python say, and nothing can hang us."""

import json
import math
import time

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from flnft_sim.errors import InputError, bare, shown
from flnft_sim.json_text import MAX_DEPTH, TextError, read_json
from flnft_sim.scenario import yaml_text
from flnft_sim.scenario.yaml_text import MAX_SIZE, read_file, read_yaml

#: Plain values of YAML's JSON schema, deep enough to matter.
leaves = st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.floats(allow_nan=False) | st.text(max_size=9)
values = st.recursive(
    leaves, lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=5), inner), max_leaves=12
)


def read(text):
    return read_yaml(text, place="here")


def refused(text):
    with pytest.raises(TextError) as caught:
        read(text)
    sentence = str(caught.value)
    assert sentence.startswith("here") and "\n" not in sentence and len(sentence) < 600
    return sentence


@given(values)
def test_json_is_read_as_json_reads_it(value):
    text = json.dumps(value, ensure_ascii=False)
    assert read_json(text, place="here") == value
    if all(character.isprintable() for character in text):  # JSON may hold what YAML must escape
        assert read(text) == value


@pytest.mark.parametrize("parser", [yaml_text._PARSER, yaml.SafeLoader])
def test_both_parsers_of_the_library_say_the_same(monkeypatch, parser):
    monkeypatch.setattr(yaml_text, "_PARSER", parser)
    assert read("a: &x [1, 2]\nb: {c: *x, d: 'yes'}\ne:\n- |\n  two\n  lines\n") == {
        "a": [1, 2],
        "b": {"c": [1, 2], "d": "yes"},
        "e": ["two\nlines\n"],
    }
    assert "'a' stands twice, on line 1 and on line 3" in refused("a: 1\nb: 2\na: 3")
    assert read("base: &b {x: 1, y: 2}\nown:\n  <<: *b\n  y: 3\n")["own"] == {"x": 1, "y": 3}
    assert "not YAML" in refused("a: [1") and "tag" in refused("a: !!python/name:os.system x")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 0.001),
        ("5e-1", 0.5),
        ("1E3", 1000.0),
        (".5", 0.5),
        ("5.", 5.0),
        ("-.5e+1", -5.0),
        ("1_000", 1000),
        ("1_0.5", 10.5),
        ("0x1F", 31),
        ("0o17", 15),
        ("0b11", 3),
        ("+7", 7),
        ("0", 0),
        ("-0", 0),
        ("0.0", 0.0),
        ("00.5", 0.5),
        ("true", True),
        ("False", False),
        ("~", None),
        ("null", None),
        ("", None),
        ("-.inf", -math.inf),
    ],
)
def test_scalars_of_yaml_1_2_and_numbers_of_python(text, value):
    found = read(f"a: {text}")["a"]
    assert found == value and type(found) is type(value)


@pytest.mark.parametrize(
    "text",
    ["1:30", "yes", "no", "on", "off", "y", "2001-13-45", "2001-01-01", "1__0", "_1", "1e", "0o9", "0x", ".", "="],
)
def test_what_only_yaml_1_1_takes_for_something_else_is_text(text):
    assert read(f"a: {text}") == {"a": text}


@pytest.mark.parametrize("text", ["010", "-010", "08", "00", "0_1"])
def test_a_leading_zero_is_refused(text):
    decimal = int(text.replace("_", ""), 10)
    assert f"write {decimal}," in refused(f"seed: {text}")
    assert read(f"seed: '{text}'") == {"seed": text}


def test_a_key_that_stands_twice_is_an_error_at_every_depth():
    assert "'b' stands twice, on line 3 and on line 5" in refused("x:\n - a\n - b: 1\n   c: 2\n   b: 3\n")
    assert "'1' stands twice" in refused("{1: a, '1': b}")
    assert "'<<' stands twice" in refused("a: &a {x: 1}\nb:\n  <<: *a\n  <<: *a\n")
    with pytest.raises(TextError, match="'a' stands twice"):
        read_json('{"x": {"a": 1, "a": 1}}', place="here")


def test_of_merged_mappings_the_earlier_and_of_all_the_written_key_has_the_word():
    text = "a: &a {x: 1}\nb: &b {x: 2, y: 2}\nc: {<<: [*a, *b], z: 3}\nd: {y: 0, <<: *b}"
    assert read(text)["c"] == {"x": 1, "y": 2, "z": 3}
    assert read(text)["d"] == {"x": 2, "y": 0}
    assert "takes a mapping" in refused("a: {<<: 3}")


def test_every_alias_is_a_copy():
    found = read("a: &a {x: [1]}\nb: *a\n")
    found["a"]["x"].append(2)
    assert found["b"] == {"x": [1]}


def bomb(levels, fan, inner):
    return "a0: &a0 [x]\n" + "".join(
        f"a{i}: &a{i} {inner.format(','.join([f'*a{i - 1}'] * fan))}\n" for i in range(1, levels)
    )


@pytest.mark.parametrize(
    "text",
    [
        bomb(30, 9, "[{}]"),
        bomb(60, 2, "[{}]"),
        bomb(200, 1, "[{}]"),
        bomb(60, 2, "[{}]").replace("[x]", "{x: 1}").replace("[", "{<<: [").replace("]\n", "]}\n"),
        f"a: &a {'x' * 10_000}\nb: [{','.join(['*a'] * 10_000)}]",
        "[" * 5000,
        "{a: " * 5000,
        "- " * 5000,
        "a: &a [*a]",
        "a" * (MAX_SIZE + 1),
        "9" * 5000,
        "a: 0x" + "f" * 5000,
        "\x00",
        "a: \ud800",
        "? [a]\n: 1",
        "--- 1\n--- 2",
        "a: !!set {x}",
    ],
    ids=lambda text: text[:12],
)
def test_bombs_and_nonsense_are_refused_soon_and_in_one_sentence(text):
    start_s = time.process_time()
    refused(text)
    assert time.process_time() - start_s < 5


def test_depth_is_allowed_up_to_its_bound():
    assert read("[" * MAX_DEPTH + "]" * MAX_DEPTH)
    assert f"more than {MAX_DEPTH}" in refused("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1))
    with pytest.raises(TextError, match=f"more than {MAX_DEPTH}"):
        read_json("[" * 51 + "]" * 51, place="here")
    with pytest.raises(TextError, match=f"more than {MAX_DEPTH}"):
        read_json("[" * 100_000, place="here")


def test_files_that_are_no_text_are_refused(tmp_path):
    path = tmp_path / "latin.yaml"
    path.write_bytes("description: Café".encode("latin-1"))
    with pytest.raises(TextError, match=r"byte 16 is not UTF-8"):
        read_file(path)
    path.write_bytes(b"\xef\xbb\xbfa: 1")  # a byte-order mark, as some editors write it
    assert read_file(path) == {"a": 1}
    with pytest.raises(InputError, match="cannot be read"):
        read_file(tmp_path)


def test_values_are_quoted_on_one_line_and_shortened():
    assert shown("a\nb") == r"'a\nb'" and bare("a b") == "a b"
    assert len(shown("x" * 10**6)) == 200 and len(shown(list(range(10**5)))) == 200
    assert shown(10**5000) == "a int too large to print"
