"""Streams are named: what is drawn for one purpose neither moves with nor repeats what is drawn for another."""

import subprocess
import sys

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from flnft_sim.streams import Streams

seeds = st.integers(0, 2**63)
purposes = st.text(max_size=20)
places = st.tuples(purposes, st.lists(st.integers(0, 2**31), max_size=3).map(tuple))


@given(seeds, places)
def test_asked_again_a_stream_starts_anew(seed, place):
    purpose, indices = place
    one, other = (Streams(seed).generator(purpose, *indices).random(4) for _ in range(2))
    np.testing.assert_array_equal(one, other)


@given(seeds, places, places)
def test_two_purposes_have_two_streams(seed, one, other):
    numbers = [Streams(seed).integer(purpose, *indices) for purpose, indices in (one, other)]
    assert (numbers[0] == numbers[1]) == (one == other)


@given(seeds, seeds, places)
def test_another_seed_is_another_stream(one, other, place):
    purpose, indices = place
    numbers = [Streams(seed).integer(purpose, *indices) for seed in (one, other)]
    assert (numbers[0] == numbers[1]) == (one == other)


def test_who_else_draws_and_how_much_does_not_matter():
    alone = Streams(3).generator("fading", 5).random(10)
    streams = Streams(3)
    for index in range(5):
        streams.generator("fading", index).random(1000)
    streams.generator("blocks").random(7)
    np.testing.assert_array_equal(streams.generator("fading", 5).random(10), alone)


def test_another_process_draws_the_same_whatever_its_hash_seed():
    code = "from flnft_sim.streams import Streams; print(Streams(11).integer('placement', 2))"
    told = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": hash_seed, "PYTHONPATH": ":".join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for hash_seed in ("0", "1")
    }
    assert told == {f"{Streams(11).integer('placement', 2)}\n"}


def test_a_number_for_libraries_fits_into_63_bits():
    numbers = [Streams(0).integer("beliefs", index) for index in range(1000)]
    assert len(set(numbers)) == 1000
    assert min(numbers) >= 0 and max(numbers) < 2**63 and max(numbers) > 2**62
