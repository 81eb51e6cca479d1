"""Open everybody's account in the genesis block."""

from flnft_sim.agents.contract.contract import AuctionContract
from flnft_sim.agents.dao.crowd import crowd_address
from flnft_sim.agents.dao.dao import MuDao
from flnft_sim.agents.provider import ServiceProvider
from flnft_sim.agents.user import MetaverseUser
from flnft_sim.ledger import Accounts, key_of, to_units
from flnft_sim.scenario import Scenario
from flnft_sim.streams import Streams


def open_accounts(settings: Scenario, streams: Streams) -> Accounts:
    """Everybody's account: providers can lock a budget in every measured auction, the contract can cover deficits."""
    accounts, population = Accounts(), settings.population
    stake = to_units(settings.game.budget_money) * settings.market.auctions
    for number in range(population.providers):
        accounts.open(key_of(streams, ServiceProvider.role, number).address, stake)
    accounts.open(key_of(streams, AuctionContract.role, 0).address, to_units(settings.market.auctioneer_money))
    for number in range(population.daos):
        accounts.open(key_of(streams, MuDao.role, number).address)
    for number in range(population.users):
        alone = not population.moves_as_crowd(number % population.daos)
        accounts.open(
            key_of(streams, MetaverseUser.role, number).address if alone else crowd_address(settings.seed, number)
        )
    return accounts
