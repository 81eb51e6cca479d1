"""Refuse a run in its first moment, by its scenario alone: before the libraries that a run needs are imported."""

from pathlib import Path
from typing import Any

from flnft_sim.chain.limits import MAX_VOTERS, most
from flnft_sim.errors import InputError, bare
from flnft_sim.ledger.canonical import canonical_json
from flnft_sim.ledger.transactions import intrinsic_gas
from flnft_sim.machine import has_nvidia_driver
from flnft_sim.scenario.schema import Scenario

_FROM_FILES = ("mnist", "cifar10")  # data sets that are read from the data directory
_ADDRESS = "f" * 40
_UNITS = 2**53
_SEALED_BYTES = 400  # a sealed bid has fewer, whatever its content


def refuse_early(settings: Scenario) -> None:
    """Refuse what the run would refuse when it is built: a lack of gas, of a device, of a data directory.

    Raises `InputError` naming the field.
    """
    refuse_lack_of_gas(settings)
    if settings.learning.learner == "surrogate":  # nothing is trained
        return
    if settings.learning.device == "cuda" and not has_nvidia_driver():
        raise InputError(
            "learning.device = cuda: this machine has no CUDA GPU that PyTorch can use; choose 'cpu' or 'auto'"
        )
    _refuse_lack_of_data(settings.learning.dataset, settings.learning.data_dir)


def _refuse_lack_of_data(dataset: str, data_dir: str | None) -> None:
    if dataset in _FROM_FILES and data_dir is not None and not Path(data_dir).expanduser().is_dir():
        raise InputError(
            f"learning.data_dir: the data directory {bare(data_dir)} does not exist, and {dataset} is looked for "
            "there; make it, or point --data-dir or FLNFT_DATA at a directory that exists"
        )


def refuse_lack_of_gas(settings: Scenario) -> None:
    """A call that no block can hold would end the run after all the training."""
    executed = settings.public_chain.backend != "model"
    limit, (kind, gas) = settings.public_chain.gas_limit, (largest_message if executed else largest_call)(settings)
    if gas > limit:
        raise InputError(
            f"public_chain.gas_limit = {limit}: a {kind!r} transaction of this market may take {gas} gas; give at "
            "least that"
        )


def largest_message(settings: Scenario) -> tuple[str, int]:
    """The message to a contract that may take the most gas, and how much that may be."""
    members = -(-settings.population.users // settings.population.daos)
    voters = members if members <= MAX_VOTERS else 0  # the others' votes are posted
    return most(settings.buyers_at_most, settings.sellers_at_most, _SEALED_BYTES, voters)


def largest_call(settings: Scenario) -> tuple[str, int]:
    """The transaction that takes the most gas, and how much that may be: lists as long, numbers as wide as can be.

    Settlements come in as many transactions as it takes, so of them a single entry counts.
    """
    population, market = settings.population, settings.market
    keywords = f"+keyword-{population.keywords}" * (population.keywords_carried if population.keywords else 0)
    auction = f"category-{population.categories}{keywords}-e{market.auctions}"
    label = f"dao-{population.daos}-e{market.auctions}"
    sellers, buyers = settings.sellers_at_most, settings.buyers_at_most
    addresses = [f"{number:040d}" for number in range(buyers)]
    nft, model = f"fl-nft-{label}.js", f"model-{label}.safetensors"
    calls: dict[str, dict[str, Any]] = {
        "mint": {"dao": label, "nft_file": nft, "nft_hash": "f" * 64, "model_file": model, "model_hash": "f" * 64},
        "announce": {
            "auction": auction,
            "category": auction,
            "fl_nfts": [nft] * sellers,
            "reserve_units": _UNITS,
            "seal_to": "f" * 64,
            "draw_seal": "f" * 64,
        },
        "bid": {"auction": auction, "sealed": "f" * (2 * _SEALED_BYTES)},
        "clearing": {
            "auction": auction,
            "rule": market.rule,
            "bids": dict.fromkeys(addresses, _UNITS),
            "asks_units": [_UNITS] * sellers,
            "reserve_units": _UNITS,
            "winners": addresses,
            "draw": "f" * 64,
        },
        "settle": {
            "auction": auction,
            "entries": [
                {
                    "src": f"escrow/{auction}/{_ADDRESS}",
                    "dst": _ADDRESS,
                    "units": _UNITS,
                    "memo": f"{auction} {label}" * 3,
                }
            ],
        },
    }
    gas = {kind: intrinsic_gas(len(canonical_json(payload))) for kind, payload in calls.items()}
    return max(gas.items(), key=lambda item: item[1])
