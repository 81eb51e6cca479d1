"""The market on executed contracts: the same market, by the contracts' own answers, and every byte of it checked."""

import itertools
import subprocess
import sys
from dataclasses import replace

import pytest
from pandas.testing import assert_frame_equal

from flnft_sim import FlnftModel, load_scenario, run
from flnft_sim.agents.contract.auction import Auction
from flnft_sim.agents.executed.market import ContractsDisagree, Executed
from flnft_sim.agents.outsider import Outsider
from flnft_sim.agents.tender import Tender
from flnft_sim.chain import contracts
from flnft_sim.errors import InputError
from flnft_sim.ledger import Chain, VerificationError, address_of, read_ledger
from flnft_sim.market.voting import VOTING
from flnft_sim.results.executed import ExecutedRun
from flnft_sim.results.page import summary_text
from flnft_sim.results.verify import verify_run

QUICK = {"learning.learner": "surrogate", "game.history_auctions": 12}
EVM = QUICK | {"public_chain.backend": "evm"}


CLOCKS = ["accessed_at_s", "model_age_s"]  # of what comes after the settlement


def played(name="tiny", **fields):
    return run(load_scenario(name, overrides=EVM | fields))


def public(result):
    return read_ledger("".join(f"{line}\n" for line in result.ledger_lines))["public"]


def rows(table):
    return table.fillna("").astype(str).to_dict("records")


@pytest.fixture(scope="module")
def tiny():
    return played()


@pytest.fixture(scope="module")
def byzantine():
    return played("byzantine", **{"learning.rounds": 1, "market.resale_share": 1.0})


def test_the_market_is_the_same_on_contracts_and_on_a_model_of_them(tiny):
    """All of it but the clock after a window's end, for which contracts need blocks that the model does not."""
    model = run(load_scenario("tiny", overrides=QUICK))
    for table in ("rounds", "users", "bids", "auctions", "licences", "privacy"):
        one, other = (each.tables[table].drop(columns=CLOCKS, errors="ignore") for each in (tiny, model))
        assert_frame_equal(one, other, check_exact=True)
    assert rows(tiny.accounts) == rows(model.accounts)
    assert len(tiny.licences) and not tiny.transactions["error"].any()
    assert set(model.transactions["call"]) == {""}


def test_gas_comes_from_execution_and_blocks_say_what_came_of_them(tiny):
    table, record = tiny.transactions, public(tiny).blocks[-1].execution
    assert (table["gas_used"] <= table["gas_limit"]).all()
    bids = table[table["call"] == "SealedAuction.bid"]
    assert bids["gas_used"].nunique() > 1 and bids["gas_limit"].nunique() == 1  # a first bid fills empty storage
    assert set(record) >= {"raw", "timestamp", "gas_used", "gas_limit", "state_root", "receipts_root", "logs_bloom"}
    executed = [block.execution for block in public(tiny).blocks if block.execution is not None]
    assert sum(block["gas_used"] for block in executed) == table.loc[table["call"] != "", "gas_used"].sum()


def test_the_same_seed_leaves_the_same_bytes(tiny):
    assert played().ledger_lines == tiny.ledger_lines
    assert played(seed=1).ledger_lines != tiny.ledger_lines


def events(result, name):
    """What the run's contracts of all DAOs and the auction have logged."""
    held = ExecutedRun(public(result))
    abis = [contracts.MuDao.abi(), contracts.SealedAuction.abi()]
    for number in range(1, held._chain.last.number + 1):
        for done in held._chain.block(number).own:
            yield from (event for abi in abis for event in abi.events(done.logs) if event.name == name)


def test_members_vote_one_by_one_on_the_contract_which_comes_to_what_they_agreed_on(byzantine):
    """By both: the total that members claim, and whose ask stands, the inflated ones not."""
    model = read_ledger("".join(f"{line}\n" for line in byzantine.ledger_lines))
    agreed = [vote.payload for name, chain in model.items() if name != "public" for vote in chain.transactions("vote")]
    tallied, proposed = list(events(byzantine, "Tallied")), list(events(byzantine, "Proposed"))
    assert sorted(event["approved"] for event in tallied) == sorted(vote["approved"] for vote in agreed)
    assert len(proposed) == sum(vote["of"] for vote in agreed) > sum(vote["approved"] for vote in agreed)
    assert len(list(events(byzantine, "Voted"))) == len(proposed)
    assert {event["needed"] for event in events(byzantine, "VoteStarted")} == {-(-vote["of"] // 2) for vote in agreed}
    votes = byzantine.transactions[byzantine.transactions["call"].isin(["MuDao.propose", "MuDao.vote"])]
    assert votes["sender"].str.startswith("user-").all() and votes["sender"].nunique() > 10


def test_votes_that_come_too_late_are_refused_and_shares_stay_those_of_the_dao(tmp_path):
    late = played(**{"public_chain.voting_s": 1.0})
    assert set(late.transactions.loc[late.transactions["kind"] == "vote", "error"]) == {"", "TooLate"}
    assert rows(late.accounts) == rows(run(load_scenario("tiny", overrides=QUICK)).accounts)
    late.save(tmp_path / "run", figures=False)
    assert verify_run(tmp_path / "run").messages > 0


def test_a_count_that_differs_from_the_members_is_stopped(monkeypatch):
    monkeypatch.setattr("flnft_sim.agents.executed.market.threshold", lambda rule, voters: voters)
    with pytest.raises(ContractsDisagree, match="its contract counts asks of 0 wei"):
        played()


def test_a_rule_that_contracts_cannot_count_by_is_refused(monkeypatch):
    monkeypatch.setitem(VOTING._parts, "odd", lambda approvals, users: approvals % 2 == 1)
    with pytest.raises(InputError, match="voting rule 'odd' counts one approval more against an ask"):
        FlnftModel(load_scenario("tiny", overrides=EVM | {"market.voting.rule": "odd"}))


def test_a_dao_too_large_to_vote_on_the_chain_posts_what_its_votes_came_to():
    result = played(**{"population.users": 257, "learning.rounds": 1, "population.crowd_from": 300})
    calls = result.transactions.loc[result.transactions["kind"] == "vote", "call"].tolist()
    assert calls == ["MuDao.startVote", "MuDao.post"]


def test_bidders_are_registered_under_their_keys_of_the_ledgers(tiny):
    [registered] = events(tiny, "Registered")
    providers = tiny.accounts[tiny.accounts["role"] == "provider"]["address"]
    assert sorted(address_of(identity) for _, identity in registered["bidders"]) == sorted(providers)
    blocks = list(public(tiny).blocks)
    record = dict(blocks[0].payload["execution"])
    one, other, *rest = record["identities"].items()
    record["identities"] = dict([(one[0], other[1]), (other[0], one[1]), *rest])
    blocks[0] = replace(blocks[0], payload={**blocks[0].payload, "execution": record})
    with pytest.raises(VerificationError, match=r"was registered as .* of the ledgers, which the genesis block does"):
        ExecutedRun(Chain.of(blocks)).check(
            {name: rows(tiny.tables[name]) for name in ("accounts", "bids", "licences")}
        )


def test_attacks_end_in_the_contracts_own_answers(byzantine, tmp_path):
    bids = byzantine.bids
    assert set(bids.loc[bids["provider"] == "outsider-0", "reason"]) == {"NotRegistered"}
    assert "messages refused" in summary_text(byzantine)
    assert byzantine.summary["refused_messages_total"] == (bids["reason"] == "NotRegistered").sum() > 0
    assert byzantine.licences["seller"].str.startswith("provider").any()
    byzantine.save(tmp_path / "run", figures=False)
    assert verify_run(tmp_path / "run").messages == (byzantine.transactions["call"] != "").sum() + 5


def test_an_attacker_that_has_registered_gets_the_contracts_own_answers_and_stops_nobody(monkeypatch, tmp_path):
    """Forged and replayed boxes do not hold what was sealed, late ones find the window closed; others are opened."""
    late = itertools.cycle((False, True))
    register, bring = Executed.registration, Outsider._bring

    def with_the_outsider(market, buyers):
        return register(market, [*buyers, market.contract.outsider])

    def sometimes_late(outsider, tender, sealed, delay_s):
        return bring(outsider, tender, sealed, delay_s + (tender.window_s + 5.0 if next(late) else 0.0))

    fields = {"learning.rounds": 1, "market.resale_share": 1.0}
    honest = played("byzantine", **fields)
    monkeypatch.setattr(Executed, "registration", with_the_outsider)
    monkeypatch.setattr(Outsider, "_bring", sometimes_late)
    result = played("byzantine", **fields)
    sent = result.transactions
    assert set(sent.loc[sent["call"] == "SealedAuction.open", "error"]) == {"", "WrongSeal"}
    attacks = sent[(sent["sender"] == "outsider-0") & (sent["call"] == "SealedAuction.bid")]
    assert set(attacks["error"]) == {"", "TooLate"}
    refused = result.summary["refused_messages_total"]
    assert refused == (sent["error"] != "").sum() > 0 and "messages refused" in summary_text(result)
    of_outsider = result.bids[result.bids["provider"] == "outsider-0"]
    assert "TooLate" in set(of_outsider["reason"]) and not of_outsider["won"].any()
    assert result.auctions["winners"].tolist() == honest.auctions["winners"].tolist()
    result.save(tmp_path / "run", figures=False)
    assert verify_run(tmp_path / "run").bids == (result.bids["status"] == "accepted").sum()


def test_a_late_bid_is_refused_by_the_auction(monkeypatch):
    monkeypatch.setattr(Tender, "soon_s", lambda tender, rng: tender.window_s + rng.uniform(1.0, 9.0))
    result = played()
    assert set(result.bids["reason"]) == {"TooLate"}
    assert result.auctions["winners"].tolist() == [0]


def test_a_window_that_was_announced_too_late_is_none_and_the_next_auction_goes_on(tmp_path):
    """One block in ten minutes: the window is over before the contract knows of it."""
    slow = {"public_chain.block_interval_s": 600.0, "market.bidding_s": 5.0, "market.auctions": 2}
    result = played(**slow)
    windows = result.transactions[result.transactions["kind"] == "window"]
    assert (windows["error"] == "TooEarly").any()
    assert set(result.bids["reason"]) <= {"WrongStage", "TooLate"}
    result.save(tmp_path / "run", figures=False)
    assert verify_run(tmp_path / "run").bids == 0
    with pytest.raises(VerificationError, match="unknown chain engine 'geth'"):
        verify_run(tmp_path / "run", engine="geth")


def test_after_a_window_in_which_nobody_won_everybody_bids_again_with_its_money(tmp_path):
    result = played(**{"market.reserve_money": 1e5, "market.rebids_max": 2})
    assert result.auctions["rebids"].tolist() == [2]
    assert (result.bids["status"] == "replaced").sum() == 2 * (result.bids["status"] == "accepted").sum() > 0
    result.save(tmp_path / "run", figures=False)
    assert verify_run(tmp_path / "run").bids > 0


def test_stale_blocks_are_executed_and_leave_nothing():
    settings = load_scenario("tiny", overrides=EVM | {"public_chain.propagation_s": 6.0, "seed": 3})
    model = FlnftModel(settings)
    model.run()
    result = model.result()
    assert model.world.public_chain.returned_transactions > 0
    ExecutedRun(public(result)).check({name: rows(result.tables[name]) for name in ("accounts", "bids", "licences")})


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("raw", lambda raw: [raw[0][:-2] + ("00" if raw[0][-2:] != "00" else "01"), *raw[1:]]),
        ("gas", lambda gas: [gas[0] + 1, *gas[1:]]),
        ("gas_used", lambda used: used + 1),
        ("status", lambda status: [1 - status[0], *status[1:]]),
        ("timestamp", lambda time: time + 1),
        ("coinbase", lambda address: address[:-1] + ("0" if address[-1] != "0" else "1")),
        ("prev_randao", lambda chance: chance[::-1]),
        ("gas_limit", lambda limit: limit + 1),
        ("state_root", lambda root: root[::-1]),
        ("receipts_root", lambda root: root[::-1]),
        ("logs_bloom", lambda bloom: "f" + bloom[1:]),
    ],
)
def test_whatever_is_altered_in_a_block_is_named(tiny, field, change):
    """Also where every hash of the ledger is mended: here nobody looks at them."""
    blocks = list(public(tiny).blocks)
    place = next(
        n for n, block in enumerate(blocks) if block.execution and "bid" in {t.kind for t in block.transactions}
    )
    told = blocks[place].execution
    blocks[place] = replace(blocks[place], execution={**told, field: change(told[field])})
    with pytest.raises(VerificationError, match=r"block .*chain.*(its|raw)"):
        ExecutedRun(Chain.of(blocks))


@pytest.mark.parametrize(
    ("table", "column", "says"),
    [
        ("accounts", "balance_money_units", "accounts.csv line 2: provider-0 holds"),
        ("bids", "payment_money", "bids.csv line 2: bid, win and payment of provider-0"),
        ("bids", "total_money", "bids.csv line 2: bid, win and payment of provider-0"),
        ("licences", "expires_s", "licences.csv line 2: licence dao-0/1 is held by"),
        ("licences", "holder", "licences.csv line 2: licence dao-0/1 is held by"),
    ],
)
def test_tables_are_held_against_the_contracts_state(tiny, table, column, says):
    tables = {name: rows(tiny.tables[name]) for name in ("accounts", "bids", "licences")}
    held = ExecutedRun(public(tiny))
    held.check(tables)
    old = tables[table][0][column]
    tables[table][0][column] = "provider-1" if column == "holder" else str(type(eval(old))(eval(old) + 1))
    with pytest.raises(VerificationError, match=says):
        held.check(tables)


def test_a_market_that_decides_otherwise_than_the_contract_is_stopped(monkeypatch):
    clear = Auction.clear

    def favour(auction, rule, told):
        clear(auction, rule, told)
        auction.clearing = replace(auction.clearing, buyers=auction.clearing.buyers[:0], price=None)
        return auction.clearing

    monkeypatch.setattr(Auction, "clear", favour)
    with pytest.raises(ContractsDisagree, match="the contract"):
        played(**{"market.rebids_max": 0})


def test_a_run_without_contracts_imports_no_engine():
    told = """
import sys
from flnft_sim import load_scenario, run
run(load_scenario("tiny", overrides={"learning.learner": "surrogate", "learning.rounds": 1}))
print(sorted({"eth", "eth_account", "eth_abi", "web3", "rlp"} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"market.rule": "vcg"}, "the contracts of public_chain.backend 'evm' clear by 'pms-am'; use that"),
        ({"population.providers": 257}, "257 of them meet in one auction, and the contract"),
        ({"population.daos": 33, "population.users": 66}, "33 of them meet in one auction"),
        ({"population.crowd_from": 2, "radio.cross_talk": 0.0}, "members of a crowd have no keys to sign with"),
        ({"public_chain.fork": "london"}, "should be 'shanghai', 'cancun' or 'prague'"),
        ({"public_chain.backend": "hearsay"}, "should be 'model', 'evm' or 'rpc'"),
        ({"public_chain.gas_limit": 200_000}, "transaction of this market may take"),
    ],
)
def test_what_contracts_cannot_do_is_refused_in_a_sentence(fields, says):
    with pytest.raises(InputError, match=says):
        FlnftModel(load_scenario("tiny", overrides=EVM | fields))
