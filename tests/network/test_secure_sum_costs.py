"""What a secure sum costs: the publication's own figures, and what must hold of any."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flnft_sim.errors import InputError
from flnft_sim.network.secure_sum import SecureSum

sums = st.builds(SecureSum, st.integers(1, 500), st.integers(1, 10**6), st.integers(1, 32))


@pytest.mark.parametrize(("users", "words", "expansion"), [(2**10, 2**20, 1.73), (2**14, 2**24, 1.98)])
def test_the_publications_expansion_of_16_bit_vectors(users, words, expansion):
    assert SecureSum(users, words, 16).expansion == pytest.approx(expansion, abs=0.005)


@given(sums)
def test_words_of_the_sum_hold_the_largest_and_hardly_more(sums):
    largest = sums.users * (2**sums.word_bits - 1)
    assert 2 ** (sums.sum_bits - 1) <= largest < 2**sums.sum_bits


@given(sums, st.data())
def test_who_drops_out_costs_the_sum_a_mask_with_each_who_did_not(sums, data):
    delivered = data.draw(st.integers(0, sums.users))
    one_mask = sums.masking_cycles / sums.users
    expected = delivered * (1 + sums.users - delivered) * one_mask
    assert sums.unmasking_cycles(delivered) == pytest.approx(expected)


@given(sums)
def test_another_user_never_makes_it_cheaper(sums):
    more = SecureSum(sums.users + 1, sums.words, sums.word_bits)
    for cost in ("key_bits", "share_bits", "masked_bits", "reveal_bits", "agreement_cycles", "masking_cycles"):
        assert getattr(more, cost) >= getattr(sums, cost)


@pytest.mark.parametrize(("users", "words", "bits"), [(0, 1, 16), (2, 0, 16), (2, 1, 0), (2, 1, 65), (2.5, 1, 16)])
def test_bad_input_is_one_sentence(users, words, bits):
    with pytest.raises(InputError):
        SecureSum(users, words, bits)
