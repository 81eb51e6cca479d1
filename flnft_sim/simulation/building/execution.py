"""Build what executes the public chain's contracts: everybody's money, and the contracts, before the first second."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from flnft_sim.agents.contract.contract import AuctionContract
from flnft_sim.agents.dao.dao import MuDao
from flnft_sim.agents.executed.market import Addresses
from flnft_sim.agents.outsider import Outsider
from flnft_sim.agents.provider import ServiceProvider
from flnft_sim.agents.user import MetaverseUser
from flnft_sim.chain import contracts
from flnft_sim.chain.backend import EPOCH, Candidate, Genesis, Sent, connect
from flnft_sim.chain.keys import ChainKey, chain_key_of
from flnft_sim.chain.transactions import Call, created_address
from flnft_sim.chain.units import GWEI, to_wei
from flnft_sim.clock.execution import Execution
from flnft_sim.ledger import Accounts, key_of
from flnft_sim.market.voting import threshold
from flnft_sim.scenario import Scenario
from flnft_sim.streams import Streams

_ROOM = 10**9  # gas of the block in which all contracts are made


@dataclass(frozen=True)
class Contracts:
    """The execution at the run's first second, where the contracts are, and what the genesis block says of both."""

    execution: Execution
    addresses: Addresses
    record: Mapping[str, Any]


def build_contracts(settings: Scenario, streams: Streams, accounts: Accounts) -> Contracts:
    """Give everybody its opening balance on the chain, and make the contracts in the block after genesis."""
    chain, keys = settings.public_chain, dict(_keys(settings, streams))
    opening = accounts.opening_balances
    alloc = {key.address: to_wei(opening[address]) for address, key in keys.items() if opening.get(address)}
    genesis = Genesis(alloc=alloc, chain_id=chain.chain_id, fork=chain.fork)
    backend = connect(chain.backend, genesis, **({"address": chain.node} if chain.backend == "rpc" else {}))
    contract = chain_key_of(streams, AuctionContract.role, 0)
    nft, auction = (created_address(contract.address, nonce) for nonce in range(2))
    daos = {number: chain_key_of(streams, MuDao.role, number) for number in range(settings.population.daos)}
    sent = [
        _made(backend, contracts.FlNft.deploy(auction), contract),
        _made(backend, contracts.SealedAuction.deploy(nft), contract),
        *(_made(backend, contracts.MuDao.deploy(_voters(settings, streams, n)), key) for n, key in daos.items()),
    ]
    frame = backend.next_block(EPOCH, gas_limit=_ROOM)
    built = backend.build(frame, [Candidate(each.raw, each.gas_limit) for each in sent])
    for each, done in zip(sent, built.own, strict=True):
        each.answer(done)
    owners = {number: key_of(streams, MuDao.role, number).address for number in daos}
    addresses = Addresses(nft, auction, {owners[n]: created_address(key.address, 0) for n, key in daos.items()})
    gas_price_wei = round(chain.gas_price_gwei * GWEI)
    record = {
        "genesis": backend.genesis.to_dict(),
        "setup": [backend.block(number).to_dict() for number in range(1, backend.last.number + 1)],
        "seed": settings.seed,
        "gas_limit": chain.gas_limit,
        "gas_price_wei": gas_price_wei,
        "contracts": {"FlNft": nft, "SealedAuction": auction, "MuDao": dict(addresses.daos)},
        "identities": {address: key.address for address, key in keys.items()},
    }
    execution = Execution(backend, seed=settings.seed, gas_limit=chain.gas_limit, gas_price_wei=gas_price_wei)
    return Contracts(execution, addresses, record)


def _voters(settings: Scenario, streams: Streams, dao: int) -> list[str]:
    """The members of a DAO by their addresses for contracts; nobody where more are than can vote there."""
    population, rule = settings.population, settings.market.voting.rule
    numbers = range(dao, population.users, population.daos)
    if len(numbers) > contracts.MAX_VOTERS:
        return []
    for voters in range(1, len(numbers) + 1):
        threshold(rule, voters)  # refuses a rule that the contract cannot count by
    return [chain_key_of(streams, MetaverseUser.role, number).address for number in numbers]


def _keys(settings: Scenario, streams: Streams) -> Iterator[tuple[str, ChainKey]]:
    """Everybody's address on the ledgers, with the key for contracts."""
    population = settings.population
    counts = {
        ServiceProvider.role: population.providers,
        AuctionContract.role: 1,
        MuDao.role: population.daos,
        MetaverseUser.role: population.users,
        Outsider.role: 1,
    }
    for role, count in counts.items():
        for number in range(count):
            yield key_of(streams, role, number).address, chain_key_of(streams, role, number)


def _made(backend: Any, call: Call, key: ChainKey) -> Sent:
    sent: Sent = backend.sign(call, key)
    return sent
