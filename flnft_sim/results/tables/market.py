"""The tables of the market: `bids`, `auctions`, `licences`, `transactions`, `accounts`."""

from dataclasses import dataclass

from flnft_sim.results.tables.columns import NAN, column


@dataclass(slots=True, kw_only=True)
class BidRow:
    """A sealed bid in the order of sending, or a provider that sent none."""

    auction: str = column("in which auction")
    provider: str = column("who sent it")
    dao: str = column("whose licence it won", default="")
    quality_price_money: float = column("q_j, per unit of quality satisfaction", source="Eq. 13", default=NAN)
    freshness_price_money: float = column("f_j, per unit of freshness", source="Eq. 13", default=NAN)
    total_money: float = column("what was bid", default=NAN)
    sealed_at_s: float = column("when it was sent", default=NAN)
    status: str = column("accepted, replaced, rejected, sealed (never opened) or no bid")
    reason: str = column("why it was rejected or not made", default="")
    won: bool = column("whether it won a licence", default=False)
    payment_money: float = column("what is paid for the licence", default=0.0)
    priority: int = column("rank of access, 1 the first; 0 without a licence", default=0)
    predicted_rivals_money: float = column("what its sender believed all others to bid together", default=NAN)
    real_rivals_money: float = column("what all others did bid, before any rebid", default=NAN)
    valuation_money: float = column("V_j, what a licence was worth to its sender", default=NAN)
    provider_utility: float = column("Ψ_j at the bids made; no money", source="Eq. 16", default=0.0)
    cash_money: float = column("valuation less payment of who won", default=0.0)
    forgone_money: float = column("what the best other bid would have kept, all else given", default=NAN)


@dataclass(slots=True, kw_only=True)
class AuctionRow:
    """An auction, or a category in which none could be held."""

    auction: str = column("its name; ends in -unheld-n where none was held")
    category: str = column("what the FL-NFTs on offer are about")
    rule: str = column("the clearing rule", source="Alg. 1")
    closed_at_s: float = column("when the last window closed", default=NAN)
    daos: int = column("sellers", unit="count", default=0)
    bidders: int = column("providers with an accepted bid above 0", unit="count", default=0)
    rejected: int = column("ciphertexts that were rejected", unit="count", default=0)
    ask_money: float = column("the lowest ask of a licence at the clearing", default=NAN)
    announced_ask_money: float = column("the lowest ask as first published", default=NAN)
    reserve_money: float = column("the reserve price of a licence", default=NAN)
    price_money: float = column("the one price of all licences; empty without one", default=NAN)
    price_set_by: str = column("which report the price is, in words", default="")
    winners: int = column("licences sold", unit="count", default=0)
    surplus_money: float = column("payments less what DAOs received", default=0.0)
    dao_receipt_money: float = column("what DAOs received", default=0.0)
    trades: int = column("1 where anything was sold, else 0", default=0)
    rebids: int = column("windows after the first", unit="count", default=0)
    reason: str = column("why nothing was sold", default="")


@dataclass(slots=True, kw_only=True)
class LicenceRow:
    """A licence that changed hands."""

    auction: str = column("in or after which auction")
    licence: str = column("its id")
    seller: str = column("the DAO, or the provider that sold it on")
    holder: str = column("who holds it now")
    priority: int = column("rank of access, 1 the first")
    price_money: float = column("what the holder paid")
    royalty_money: float = column("what of that went to the DAO at a resale")
    expires_s: float = column("from when on it is worth nothing, whoever holds it; empty where it does not expire")
    accessed_at_s: float = column("when the holder had the model; empty where it has not fetched it", default=NAN)
    model_age_s: float = column("how old the newest work in the model was then", source="Eq. 11", default=NAN)


@dataclass(slots=True, kw_only=True)
class TransactionRow:
    """A transaction of the run on the public chain, once it was final."""

    block: int = column("height of its block")
    time_s: float = column("when its block was there")
    waited_s: float = column("how long it had waited for that")
    kind: str = column("what it is about")
    sender: str = column("who sent it")
    auction: str = column("in which auction, empty for none")
    call: str = column("which contract's function it executed; empty where contracts are a model")
    gas_limit: int = column("what it might take at most", unit="gas")
    gas_used: int = column("what it took", unit="gas")
    gas_money: float = column("what that cost its sender")
    error: str = column("the contract's answer where it refused; empty otherwise")


@dataclass(slots=True, kw_only=True)
class AccountRow:
    """An account at the end of the run."""

    address: str = column("on the ledgers")
    name: str = column("whose it is")
    role: str = column("user, provider, dao, contract, escrow, and of a mechanism: committer, sink")
    balance_money_units: int = column("what it holds, exactly")
    balance_money: float = column("what it holds")
