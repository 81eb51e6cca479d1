"""Keys, transactions, chains and their files."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flnft_sim.errors import InputError
from flnft_sim.ledger import (
    Block,
    Chain,
    KeyPair,
    LatePayload,
    Transaction,
    VerificationError,
    address_of,
    canonical_json,
    read_ledger,
    signature_holds,
)
from flnft_sim.streams import Streams

ALICE, BOB = (KeyPair.from_seed(bytes([each]) * 32) for each in (1, 2))

numbers = st.integers(-(2**63), 2**63) | st.floats(allow_nan=False, allow_infinity=False)
plain = st.recursive(
    st.none() | st.booleans() | numbers | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
payloads = st.dictionaries(st.text(max_size=8), plain, max_size=4)


def two_chains():
    public, private = Chain("public", genesis={"balances": {ALICE.address: 7}}), Chain("dao-0")
    for number in range(4):
        public.append([public.sign(ALICE, "bid", {"n": number, "x": 0.1 * number})], time_s=number, producer="m")
        private.append(
            [private.sign(key, "update", {"n": number}) for key in (ALICE, BOB)], time_s=number, producer="r"
        )
    lines = zip(public.to_jsonl().splitlines(True), private.to_jsonl().splitlines(True), strict=True)
    return "".join(line for pair in lines for line in pair)


@given(plain)
def test_canonical_json_comes_back_and_is_one_string_a_value(value):
    text = canonical_json(value)
    assert text.isascii()
    assert json.loads(text) == value
    assert canonical_json(json.loads(text)) == text


def test_canonical_json_takes_numpy_and_refuses_what_json_would_change():
    assert canonical_json({"b": np.float32(0.5), "a": np.arange(2)}) == '{"a":[0,1],"b":0.5}'
    for value in (float("nan"), float("inf"), object(), {1, 2}, b"bytes"):
        with pytest.raises(InputError, match="cannot go on a ledger"):
            canonical_json({"value": value})


def test_keys_follow_from_their_seed_alone():
    again = KeyPair.from_seed(Streams(3).sequence("keys", 5))
    assert again.address == KeyPair.from_seed(Streams(3).sequence("keys", 5)).address
    assert again.address != KeyPair.from_seed(Streams(3).sequence("keys", 6)).address
    assert again.address == address_of(again.public_key)
    with pytest.raises(InputError, match="32"):
        KeyPair.from_seed(b"short")


@given(st.binary(max_size=64), st.integers(0, 63), st.integers(1, 255))
def test_a_signature_holds_for_its_message_and_key_only(message, place, flip):
    signature = ALICE.sign(message)
    assert signature_holds(ALICE.public_key, message, signature)
    assert not signature_holds(BOB.public_key, message, signature)
    assert not signature_holds(ALICE.public_key, message + b"!", signature)
    forged = bytearray(signature)
    forged[place] ^= flip
    assert not signature_holds(ALICE.public_key, message, bytes(forged))


def test_the_rfc_8032_vector():
    """RFC 8032, section 7.1, test 2."""
    key = KeyPair.from_seed(bytes.fromhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"))
    assert key.public_key.hex() == "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"
    assert key.sign(b"\x72").hex() == (
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
    )


@given(payloads, st.integers(0, 2**40), st.integers(0, 1000))
def test_transactions_verify_and_say_what_was_signed(payload, nonce, fee):
    transaction = Transaction.signed(ALICE, "note", payload, chain="public", nonce=nonce, fee=fee)
    transaction.verify()
    assert transaction.payload == payload
    assert transaction.gas == 21_000 + 16 * len(canonical_json(payload))


def test_a_payload_is_copied_when_signed():
    payload = {"list": [1]}
    transaction = Transaction.signed(ALICE, "note", payload, chain="public", nonce=0)
    payload["list"].append(2)
    transaction.verify()
    assert transaction.payload == {"list": [1]}


@pytest.mark.parametrize("payload", [{"a": 10**5000}, {1: "a", "b": 2}, {(1,): "a"}, {"a": float("nan")}])
def test_a_payload_without_a_canonical_form_is_refused_at_once_and_uses_no_nonce(payload):
    chain = Chain("c")
    with pytest.raises(InputError, match="cannot go on a ledger"):
        chain.sign(ALICE, "note", payload)
    assert chain.sign(ALICE, "note", {"a": 1}).nonce == 0


@pytest.mark.parametrize("options", [{"fee": -1}, {"gas": 20_999}])
def test_fee_and_gas_out_of_range_are_named(options):
    with pytest.raises(InputError, match=next(iter(options))):
        Transaction.signed(ALICE, "note", {}, chain="public", nonce=0, **options)


def test_chains_come_back_from_their_file():
    text = two_chains()
    chains = read_ledger(text)
    assert list(chains) == ["public", "dao-0"]
    assert [len(chain) for chain in chains.values()] == [5, 5]
    assert chains["public"].blocks[0].payload == {"balances": {ALICE.address: 7}}
    assert [each.payload["n"] for each in chains["public"].transactions("bid")] == [0, 1, 2, 3]
    assert chains["public"].to_jsonl() + chains["dao-0"].to_jsonl() != text  # they were interleaved
    assert sorted((chains["public"].to_jsonl() + chains["dao-0"].to_jsonl()).splitlines()) == sorted(text.splitlines())


LEDGER = two_chains().encode()


@given(st.integers(0, len(LEDGER) - 1), st.integers(1, 255))
def test_any_altered_byte_is_found(place, flip):
    altered = bytearray(LEDGER)
    altered[place] ^= flip
    with pytest.raises(VerificationError, match=r"ledger\.jsonl"):
        read_ledger(altered.decode("latin-1"))


@given(payloads, st.lists(st.integers(0, 3), max_size=3))
def test_what_is_worked_out_late_is_what_is_read_back(payload, order):
    """Whatever is asked for first, a block of our own is the one that its line tells, in canonical JSON."""
    chain = Chain("public")
    for number in range(4):
        late = LatePayload(len(canonical_json(payload)), lambda: payload)
        content = [chain.sign(ALICE, "note", payload), chain.sign(ALICE, "note", late)]
        chain.append(content, time_s=number, producer="m")
    for place in order:
        _ = chain.blocks[place].hash
    [again] = read_ledger(chain.to_jsonl()).values()
    assert again.blocks == chain.blocks
    assert chain.tip.to_line() == canonical_json(json.loads(chain.tip.to_line()))
    first, second = chain.tip.transactions
    assert (first.payload, first.gas) == (second.payload, second.gas)


def test_a_chain_may_be_longer_than_the_stack():
    chain = Chain("public")
    for number in range(2000):
        chain.append([], time_s=number, producer="m")
    assert chain.tip.previous == chain.blocks[-2].hash


def test_what_is_signed_is_what_it_was_when_it_was_signed():
    payload = {"n": [1]}
    transaction = Chain("public").sign(ALICE, "note", payload)
    payload["n"].append(2)
    assert transaction.payload == {"n": [1]}
    transaction.verify()


def forged(line, change):
    """The ledger with one block changed and its own hashes made right again."""
    lines = LEDGER.decode().splitlines()
    record = json.loads(lines[line])
    change(record)
    block = Block.from_line(canonical_json(record))
    names = ("time_s", "producer", "previous", "payload", "transactions", "execution")
    made = {name: getattr(block, name) for name in names}
    lines[line] = Block.made(block.chain, block.height, **made).to_line()
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize(
    ("line", "change", "says"),
    [
        (2, lambda block: block["transactions"][0]["payload"].update(n=9), "signature"),
        (2, lambda block: block["transactions"][0].update(sender=BOB.address), "address"),
        (2, lambda block: block.update(time_s=0.5), "line 5: block 2 of chain 'public' is not linked"),
        (4, lambda block: block.update(time_s=-1.0), "dated before"),
        (2, lambda block: block.update(height=2), "stands where block 1 belongs"),
        (2, lambda block: block["transactions"].append(block["transactions"][0]), "nonce 0"),
        (3, lambda block: block["transactions"][0].update(chain="public"), "was signed for chain 'public'"),
    ],
)
def test_forgeries_with_mended_hashes_are_named(line, change, says):
    with pytest.raises(VerificationError) as error:
        read_ledger(forged(line, change))
    assert says in str(error.value)


def test_a_cut_file_is_named():
    with pytest.raises(VerificationError, match="cut short"):
        read_ledger(LEDGER.decode()[:-1])
    with pytest.raises(VerificationError, match="empty"):
        read_ledger("")


def test_blocks_are_appended_in_the_order_of_time():
    chain = Chain("public")
    chain.append([], time_s=5.0, producer="m")
    with pytest.raises(InputError, match=r"5\.0 s"):
        chain.append([], time_s=4.0, producer="m")


def test_each_block_is_told():
    chain, told = Chain("public"), []
    chain.on_block.append(told.append)
    block = chain.append([], time_s=1.0, producer="m")
    assert told == [block]
