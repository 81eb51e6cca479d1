"""The secondary market: some winners sell their licence to a provider without one, the DAO gets its royalty."""

from collections.abc import Iterator
from math import gcd

import numpy as np

from flnft_sim.agents.contract.auction import Auction
from flnft_sim.ledger import Accounts, from_units, to_units
from flnft_sim.market import BASIS_POINTS, Clearing, Licences
from flnft_sim.results.tables import NAN, LicenceRow


def resales(
    auction: Auction,
    clearing: Clearing,
    licences: Licences,
    accounts: Accounts,
    rng: np.random.Generator,
    *,
    share: float,
    royalty: float,
    now_s: float,
) -> Iterator[LicenceRow]:
    """Sell each new licence on with probability `share`, at the auction's price or what the taker has; yields rows.

    Prices are rounded down to where the royalty is a whole number of units.
    """
    step_units = BASIS_POINTS // gcd(BASIS_POINTS, round(royalty * BASIS_POINTS))
    takers = [place for place in range(len(auction.buyers)) if place not in auction.winners]
    rng.shuffle(takers)
    names = {buyer.address: buyer.name for buyer in auction.buyers}
    nft = auction.sellers[int(clearing.sellers[0])].nft
    for licence in licences.of_nft(nft.name) if nft is not None else ():
        if not takers or rng.random() >= share or not licence.allows(now_s):
            continue
        seller, taker = names[licence.holder], auction.buyers[takers.pop()]
        price_units = min(to_units(clearing.price or 0.0), accounts.balance(taker.address))
        price_units -= price_units % step_units
        before_units = accounts.balance(licence.dao)
        licences.resell(
            accounts,
            licence.licence_id,
            buyer=taker.address,
            price_units=price_units,
            royalty=royalty,
            now_s=now_s,
        )
        yield LicenceRow(
            auction=auction.name,
            licence=licence.licence_id,
            seller=seller,
            holder=taker.name,
            priority=licence.priority,
            price_money=from_units(price_units),
            royalty_money=from_units(accounts.balance(licence.dao) - before_units),
            expires_s=NAN if licence.expires_s is None else licence.expires_s,
        )
