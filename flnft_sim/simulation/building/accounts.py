"""Open everybody's account in the genesis block."""

from flnft_sim.agents.contract.contract import AuctionContract
from flnft_sim.agents.dao.crowd import crowd_address
from flnft_sim.agents.dao.dao import MuDao
from flnft_sim.agents.mechanisms import MECHANISMS
from flnft_sim.agents.outsider import Outsider
from flnft_sim.agents.provider import ServiceProvider
from flnft_sim.agents.settings import Settings, handed_in
from flnft_sim.agents.user import MetaverseUser
from flnft_sim.ledger import Accounts, key_of, to_units
from flnft_sim.scenario import Scenario
from flnft_sim.streams import Streams


def open_accounts(settings: Scenario, streams: Streams) -> Accounts:
    """Everybody's account: providers can lock a budget in every measured auction, the contract can cover deficits.

    A mechanism may need more: bonds of DAOs, accounts of its own. Where gas costs money everybody has a purse for it.
    """
    accounts, population = Accounts(), settings.population
    mechanism = MECHANISMS.get(settings.market.mechanism)
    further = dict(mechanism.stakes(handed_in(Settings, settings), streams, population.daos))
    chain = settings.public_chain
    purse = to_units(chain.purse_money) if chain.gas_price_gwei else 0
    stake = to_units(settings.game.budget_money) * settings.market.auctions + purse
    for number in range(population.providers):
        accounts.open(key_of(streams, ServiceProvider.role, number).address, stake)
    accounts.open(key_of(streams, AuctionContract.role, 0).address, to_units(settings.market.auctioneer_money) + purse)
    for number in range(population.daos):
        address = key_of(streams, MuDao.role, number).address
        accounts.open(address, further.pop(address, 0) + purse)
    for number in range(population.users):
        alone = not population.moves_as_crowd(number % population.daos)
        accounts.open(
            key_of(streams, MetaverseUser.role, number).address if alone else crowd_address(settings.seed, number),
            purse,
        )
    if purse:
        accounts.open(key_of(streams, Outsider.role, 0).address, purse)
    for address, units in further.items():
        accounts.open(address, units)
    return accounts
