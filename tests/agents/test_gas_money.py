"""Gas that costs money: booked, conserved, and what the chain itself would say to the unit."""

import pytest

from flnft_sim import FlnftModel, load_scenario, run
from flnft_sim.errors import InputError
from flnft_sim.results.verify import verify_run

PRICED = {"learning.learner": "surrogate", "game.history_auctions": 8, "public_chain.gas_price_gwei": 3.7}
BACKENDS = ["model", "evm"]


def priced(backend, **fields):
    return load_scenario("tiny", overrides=PRICED | {"public_chain.backend": backend} | fields)


@pytest.mark.parametrize("backend", BACKENDS)
def test_producers_get_what_senders_pay_and_no_unit_is_lost(backend, tmp_path):
    model = FlnftModel(priced(backend))
    accounts = model.world.accounts
    issued = accounts.total()
    while not model.finished:
        model.env.step()
        assert accounts.total() == issued
    result = model.result()
    table = result.accounts.set_index("name")
    earned = table.loc[table["role"] == "producer", "balance_money"].sum()
    cost = result.transactions["gas_money"].sum()
    assert cost > 0 and earned == pytest.approx(cost, abs=1e-6 * len(table))
    by_sender = result.transactions.groupby("sender")["gas_money"].sum()
    minted = by_sender["dao-0"]
    assert table.loc["dao-0", "balance_money"] == pytest.approx(10.0 - minted, abs=1e-6)
    result.save(tmp_path / "run", figures=False)
    assert verify_run(tmp_path / "run").accounts == len(table)


def test_on_contracts_users_pay_for_their_votes_and_claims_and_the_market_is_as_without_a_price():
    dear = run(priced("evm", **{"public_chain.gas_price_gwei": 400.0}))
    free = run(priced("evm", **{"public_chain.gas_price_gwei": 0.0}))
    assert dear.bids.equals(free.bids) and dear.auctions.equals(free.auctions)
    claims = dear.transactions[dear.transactions["kind"] == "claim"]
    assert len(claims) and (claims["gas_money"] == claims["gas_used"] * 400e-9).all()
    users = dear.accounts[dear.accounts["role"] == "user"]["balance_money"].sum()
    paid = dear.transactions[dear.transactions["sender"].str.startswith("user-")]
    assert set(paid["kind"]) == {"claim", "vote"}
    assert users == pytest.approx(
        4 * 10.0 + dear.auctions["dao_receipt_money"].sum() - paid["gas_money"].sum(), abs=1e-4
    )
    assert free.transactions["gas_money"].sum() == 0 and "producer" not in set(free.accounts["role"])


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_purse_that_is_too_small_is_named(backend):
    with pytest.raises(InputError, match=r"public_chain\.purse_money"):
        run(priced(backend, **{"public_chain.purse_money": 0.0001}))


def test_gas_is_free_in_other_mechanisms():
    with pytest.raises(InputError, match="gas costs money in the mechanism 'paper' alone"):
        priced("model", **{"market.mechanism": "sound"})
