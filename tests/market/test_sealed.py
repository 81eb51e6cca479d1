"""Sealed bids: nothing is accepted that its bidder did not make for this auction, now."""

import hashlib
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nacl.public import PrivateKey, SealedBox
from nacl.signing import SigningKey

from flnft_sim.errors import InputError
from flnft_sim.market import Bid, BidRejected, Envelope, RejectionReason, SealedBids, seal

ANN, BEN, EVE = (SigningKey(hashlib.sha256(name).digest()) for name in (b"ann", b"ben", b"eve"))
AUCTIONEER = hashlib.sha256(b"auctioneer").digest()
BUDGET = 1_000_000_000


def auction(auction_id="auction-1"):
    return SealedBids(
        auction_id,
        private_key=AUCTIONEER,
        verify_keys={"ann": bytes(ANN.verify_key), "ben": bytes(BEN.verify_key)},
        budgets={"ann": BUDGET, "ben": 5},
    )


def bid(bidder="ann", total=700, nonce=1, quality=2.5, freshness=0.5, auction_id="auction-1", window=0):
    return Bid(auction_id, bidder, quality, freshness, total, nonce, window=window)


def reason_of(bids, sealed, **clock):
    with pytest.raises(BidRejected) as rejection:
        bids.open(sealed, **clock)
    assert bids.rejected[-1] is rejection.value
    return rejection.value.reason


valid_bids = st.builds(
    Bid,
    st.just("auction-1"),
    st.just("ann"),
    st.floats(0, 1e6),
    st.floats(0, 1e6),
    st.integers(0, BUDGET),
    st.integers(0, 2**64 - 1),
    window=st.integers(0, 2**64 - 1),
)
entropies = st.none() | st.binary(min_size=16, max_size=40)


@given(valid_bids, entropies)
def test_what_was_sealed_is_opened(made, entropy):
    bids = auction()
    assert bids.open(seal(made, ANN, bids.public_key, entropy=entropy), window=made.window) == made
    assert bids.bids == {"ann": made}
    assert bids.rejected == []


@given(
    st.builds(
        Bid,
        st.sampled_from(["auction-1", "auction-2"]),
        st.sampled_from(["ann", "ben", "eve"]),
        st.sampled_from([1.0, math.inf]),
        st.just(1.0),
        st.integers(-1, 10),
        st.integers(0, 3),
        window=st.integers(0, 1),
    ),
    st.sampled_from([ANN, BEN, EVE]),
    st.booleans(),
)
def test_an_envelope_is_judged_as_its_ciphertext_would_be(made, signer, to_another):
    """Whoever signs whatever for whomever: it makes no difference that the maker hands it over unread."""
    recipient = bytes(PrivateKey(bytes(32)).public_key) if to_another else auction().public_key
    envelope = Envelope(made, signer, recipient, entropy=bytes(32))
    sealed = bytes(envelope)
    assert sealed == seal(made, signer, recipient, entropy=bytes(32))
    assert len(sealed) == Envelope.SIZE
    judged = []
    for form in (envelope, sealed):
        bids = auction()
        try:
            judged.append(bids.open(form))
        except BidRejected as rejection:
            judged.append(rejection.reason)
    assert judged[0] == judged[1]


def test_an_envelope_takes_no_bid_that_cannot_be_written():
    with pytest.raises(InputError, match="does not fit"):
        Envelope(bid(nonce=-1), ANN, auction().public_key, entropy=bytes(32))


@given(valid_bids, entropies, st.data())
def test_no_altered_bytes_are_ever_accepted(made, entropy, data):
    """Flips, cuts, additions, swaps within a bid and splices of two bids of the same bidder."""
    bids = auction()
    sealed = seal(made, ANN, bids.public_key, entropy=entropy)
    other = seal(bid(nonce=made.nonce ^ 1, window=made.window), ANN, bids.public_key)
    where = st.integers(0, len(sealed) - 1)
    match data.draw(st.sampled_from(["flip", "cut", "add", "swap", "splice"])):
        case "flip":
            altered = bytearray(sealed)
            altered[data.draw(where)] ^= data.draw(st.integers(1, 255))
        case "cut":
            altered = sealed[: data.draw(where)]
        case "add":
            altered = sealed + data.draw(st.binary(min_size=1, max_size=9))
        case "swap":
            i, j = data.draw(where), data.draw(where)
            altered = bytearray(sealed)
            altered[i], altered[j] = altered[j], altered[i]
        case "splice":
            cut = data.draw(where)
            altered = sealed[:cut] + other[cut:]
    if bytes(altered) in (sealed, other):
        return
    assert reason_of(bids, bytes(altered), window=made.window) == RejectionReason.UNDECRYPTABLE
    assert bids.bids == {}


def test_every_byte_that_was_signed_counts_also_to_who_can_seal_it_again():
    """What an insider could do who learns the plaintext: change it, and encrypt it to the auctioneer anew."""
    bids = auction()
    opened = SealedBox(PrivateKey(AUCTIONEER)).decrypt(seal(bid(), ANN, bids.public_key))
    for position in range(len(opened)):
        altered = bytearray(opened)
        altered[position] ^= 1
        sealed = SealedBox(PrivateKey(AUCTIONEER).public_key).encrypt(bytes(altered))
        assert reason_of(bids, sealed) in ("bad signature", "undecryptable", "unknown bidder")
    assert bids.open(seal(bid(), ANN, bids.public_key)) == bid()


def test_every_single_bit_counts():
    bids = auction()
    sealed = seal(bid(), ANN, bids.public_key)
    for position in range(8 * len(sealed)):
        altered = bytearray(sealed)
        altered[position // 8] ^= 1 << position % 8
        assert reason_of(bids, bytes(altered)) == RejectionReason.UNDECRYPTABLE


def test_a_replayed_bid_counts_once_also_after_its_replacement():
    bids = auction()
    first, second = (seal(bid(nonce=n, total=n), ANN, bids.public_key) for n in (1, 2))
    bids.open(first)
    bids.open(second)
    assert reason_of(bids, first) == RejectionReason.REPLAYED_NONCE
    assert reason_of(bids, second) == RejectionReason.REPLAYED_NONCE
    assert bids.bids == {"ann": bid(nonce=2, total=2)}
    assert bids.replaced == [bid(nonce=1, total=1)]


@given(st.permutations(range(6)))
def test_in_whatever_order_bids_arrive_the_newest_that_was_seen_stands(order):
    """Each is newer than all before it, and replaces them, or is turned away; and nothing counts a second time."""
    bids = auction()
    sealed = [seal(bid(nonce=n, total=n), ANN, bids.public_key) for n in range(6)]
    for place, nonce in enumerate(order):
        if nonce == max(order[: place + 1]):
            assert bids.open(sealed[nonce]).nonce == nonce
        else:
            assert reason_of(bids, sealed[nonce]) == RejectionReason.OUTDATED_NONCE
        for seen in order[: place + 1]:
            assert reason_of(bids, sealed[seen]) == RejectionReason.REPLAYED_NONCE
        assert bids.bids["ann"].nonce == max(order[: place + 1])
    records = [nonce for place, nonce in enumerate(order) if nonce == max(order[: place + 1])]
    assert [one.nonce for one in bids.replaced] == records[:-1]


arrivals = st.lists(st.tuples(st.sampled_from(["ann", "ben"]), st.integers(0, 4), st.sampled_from([9.0, 11.0])))


@given(arrivals)
def test_what_came_before_decides_also_what_came_late(arrived):
    """Two bidders, bids in any order and again, in time and late, against the rule told over the whole past."""
    bids, keys = auction(), {"ann": ANN, "ben": BEN}
    standing, rejected = {}, []
    for place, (name, nonce, now_s) in enumerate(arrived):
        made = bid(name, total=nonce, nonce=nonce)
        before = [earlier for other, earlier, _ in arrived[:place] if other == name]
        sealed, clock = seal(made, keys[name], bids.public_key), {"now_s": now_s, "closes_s": 10.0}
        if nonce in before:
            rejected.append((name, "replayed nonce"))
        elif nonce < max(before, default=-1):
            rejected.append((name, "outdated nonce"))
        elif now_s > 10.0:
            rejected.append((name, "late"))
        else:
            standing[name] = bids.open(sealed, **clock)
            continue
        assert reason_of(bids, sealed, **clock) == rejected[-1][1]
    assert bids.bids == standing
    assert [(each.bidder, str(each.reason)) for each in bids.rejected] == rejected


def test_a_late_bid_comes_back_neither_itself_nor_after_a_newer_one():
    bids = auction()
    older, late, newer = (seal(bid(nonce=n), ANN, bids.public_key) for n in (1, 2, 3))
    assert reason_of(bids, late, now_s=10.1, closes_s=10.0) == RejectionReason.LATE
    assert reason_of(bids, late, now_s=10.0, closes_s=10.0) == RejectionReason.REPLAYED_NONCE
    assert reason_of(bids, older, now_s=10.0, closes_s=10.0) == RejectionReason.OUTDATED_NONCE
    assert bids.open(newer, now_s=10.0, closes_s=10.0) == bid(nonce=3)
    assert reason_of(bids, late, now_s=10.0, closes_s=10.0) == RejectionReason.REPLAYED_NONCE
    assert bids.bids == {"ann": bid(nonce=3)}


def test_who_is_late_is_asked_for_a_signature_first():
    """So that nobody makes a record, or an order, of bids under another's name."""
    bids, late = auction(), {"now_s": 10.1, "closes_s": 10.0}
    assert reason_of(bids, seal(bid(nonce=9), EVE, bids.public_key), **late) == RejectionReason.BAD_SIGNATURE
    assert reason_of(bids, b"noise", **late) == RejectionReason.UNDECRYPTABLE
    assert reason_of(bids, seal(bid(nonce=1), ANN, bids.public_key), **late) == RejectionReason.LATE
    assert [each.bidder for each in bids.rejected] == ["ann", None, "ann"]


def test_a_bid_counts_in_its_own_window_only_and_uses_up_no_nonce_of_another():
    bids = auction()
    held_back, first, rebid = (seal(bid(nonce=n, window=w), ANN, bids.public_key) for n, w in ((1, 0), (2, 0), (3, 1)))
    assert reason_of(bids, rebid) == RejectionReason.WRONG_WINDOW
    assert bids.open(first) == bid(nonce=2)
    assert reason_of(bids, held_back, window=1) == RejectionReason.WRONG_WINDOW
    assert bids.open(rebid, window=1) == bid(nonce=3, window=1)
    for old in (held_back, first):
        assert reason_of(bids, old, window=1) == RejectionReason.WRONG_WINDOW
    assert bids.bids == {"ann": bid(nonce=3, window=1)}


@pytest.mark.parametrize("instant_s", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("clock", [("now_s",), ("closes_s",), ("now_s", "closes_s")])
def test_a_clock_that_is_not_finite_is_an_error_and_costs_no_bid(clock, instant_s):
    bids = auction()
    sealed = seal(bid(), ANN, bids.public_key)
    for rest in ({}, {"now_s": 1.0, "closes_s": 2.0}):
        with pytest.raises(InputError, match=rf"{clock[0]} of a sealed bid in auction auction-1 is {instant_s}"):
            bids.open(sealed, **rest | dict.fromkeys(clock, instant_s))
    assert (bids.bids, bids.rejected) == ({}, [])
    assert bids.open(sealed, now_s=1.0, closes_s=2.0) == bid()


def test_a_bid_is_worth_nothing_elsewhere_or_under_another_name():
    bids, elsewhere = auction(), auction("auction-2")
    assert reason_of(elsewhere, seal(bid(), ANN, bids.public_key)) == RejectionReason.WRONG_AUCTION
    assert reason_of(bids, seal(bid(), EVE, bids.public_key)) == RejectionReason.BAD_SIGNATURE
    assert reason_of(bids, seal(bid("ben"), ANN, bids.public_key)) == RejectionReason.BAD_SIGNATURE
    assert reason_of(bids, seal(bid("eve"), EVE, bids.public_key)) == RejectionReason.UNKNOWN_BIDDER
    another_key = bytes(PrivateKey(hashlib.sha256(b"another").digest()).public_key)
    assert reason_of(bids, seal(bid(), ANN, another_key)) == RejectionReason.UNDECRYPTABLE


def test_a_forged_bid_does_not_burn_the_nonce_of_the_one_it_names():
    bids = auction()
    reason_of(bids, seal(bid(total=1), EVE, bids.public_key))
    assert bids.open(seal(bid(), ANN, bids.public_key)) == bid()


@pytest.mark.parametrize("price", [math.nan, math.inf, -math.inf])
def test_prices_that_are_not_finite_are_rejected(price):
    bids = auction()
    assert reason_of(bids, seal(bid(quality=price), ANN, bids.public_key)) == RejectionReason.NOT_FINITE
    assert reason_of(bids, seal(bid(freshness=price, nonce=2), ANN, bids.public_key)) == RejectionReason.NOT_FINITE


def test_negative_over_budget_and_late_bids_are_rejected():
    bids = auction()
    for nonce, changed in enumerate(({"total": -1}, {"quality": -0.1}, {"freshness": -1e-9})):
        assert reason_of(bids, seal(bid(nonce=nonce, **changed), ANN, bids.public_key)) == RejectionReason.NEGATIVE
    assert reason_of(bids, seal(bid("ben", total=6), BEN, bids.public_key)) == RejectionReason.OVER_BUDGET
    late, in_time = (seal(bid("ben", total=5, nonce=n), BEN, bids.public_key) for n in (2, 3))
    assert reason_of(bids, late, now_s=10.1, closes_s=10.0) == RejectionReason.LATE
    assert bids.open(in_time, now_s=10.0, closes_s=10.0).total == 5
    assert [r.reason for r in bids.rejected][-2:] == [RejectionReason.OVER_BUDGET, RejectionReason.LATE]


def test_an_invalid_second_bid_leaves_the_first_standing():
    bids = auction()
    bids.open(seal(bid("ben", total=5), BEN, bids.public_key))
    reason_of(bids, seal(bid("ben", total=6, nonce=2), BEN, bids.public_key))
    assert bids.bids["ben"].total == 5


def test_well_sealed_nonsense_is_undecryptable():
    bids = auction()
    for nonsense in (b"", b"hello", bytes(1000), bytes(len(seal(bid(), ANN, bids.public_key)) - 48)):
        assert reason_of(bids, SealedBox(PrivateKey(AUCTIONEER).public_key).encrypt(nonsense)) == "undecryptable"
    assert reason_of(bids, "a string") == RejectionReason.UNDECRYPTABLE


@given(valid_bids, valid_bids)
def test_all_sealed_bids_have_one_length(one, other):
    key = auction().public_key
    assert len(seal(one, ANN, key)) == len(seal(other, BEN, key))


def longest_common_run(one, other):
    best, runs = 0, [0] * (len(other) + 1)
    for a in one:
        runs = [0] + [runs[j] + 1 if a == b else 0 for j, b in enumerate(other)]
        best = max(best, *runs)
    return best


@pytest.mark.parametrize("entropies", [(None, None), (b"0123456789abcdef", b"0123456789abcdee")])
def test_equal_bids_share_nothing(entropies):
    key = auction().public_key
    one, other = (seal(bid(), ANN, key, entropy=entropy) for entropy in entropies)
    assert longest_common_run(one, other) < 5  # 5 equal bytes by chance: 1 in 10⁷


def test_one_entropy_never_serves_two_bids_and_repeats_for_the_same():
    key, entropy = auction().public_key, bytes(32)
    one, other = (seal(bid(total=total), ANN, key, entropy=entropy) for total in (1, 2))
    assert longest_common_run(one, other) < 5
    assert one == seal(bid(total=1), ANN, key, entropy=entropy)


def test_bad_arguments_are_named():
    key = auction().public_key
    with pytest.raises(InputError, match="auction id ''"):
        seal(bid(auction_id=""), ANN, key)
    with pytest.raises(InputError, match="takes 65 bytes"):
        seal(bid("a" * 65), ANN, key)
    with pytest.raises(InputError, match="does not fit"):
        seal(bid(total=2**63), ANN, key)
    with pytest.raises(InputError, match="does not fit"):
        seal(bid(total=1.5), ANN, key)
    with pytest.raises(InputError, match="does not fit"):
        seal(bid(window=-1), ANN, key)
    with pytest.raises(InputError, match="at least 16"):
        seal(bid(), ANN, key, entropy=b"short")
    with pytest.raises(InputError, match="ann of auction auction-1 has no budget"):
        SealedBids("auction-1", private_key=AUCTIONEER, verify_keys={"ann": bytes(ANN.verify_key)}, budgets={})
    with pytest.raises(InputError, match="verify key of ann has 3 bytes"):
        SealedBids("auction-1", private_key=AUCTIONEER, verify_keys={"ann": b"key"}, budgets={"ann": 1})
