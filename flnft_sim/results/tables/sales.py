"""The tables of sales in advance: `promises`, `deliveries`; empty where a mechanism promises nothing."""

from dataclasses import dataclass

from flnft_sim.results.tables.columns import NAN, column


@dataclass(slots=True, kw_only=True)
class PromiseRow:
    """What a DAO promised and asked before an auction."""

    auction: str = column("in which auction")
    dao: str = column("who promised")
    category: str = column("what its FL-NFT is about")
    promised_epochs: int = column("k⁰, epochs a round that its members are to train on average", unit="epochs")
    promised_quality: float = column("Q̂, the quality promised, by the quality measure of the scenario")
    promised_freshness: float = column("F̂, the freshness promised", source="Eq. 12")
    reference_quality: float = column("Q_ref, the quality that k⁰ epochs a round are expected to come to")
    reference_freshness: float = column("F_ref, the freshness that k⁰ epochs a round are expected to come to")
    ask_money: float = column("the total ask: the pot at which members keep the promise", default=NAN)
    bond_money: float = column("what it put up, lost where it wins and mints nothing", default=0.0)
    foreseen_pot_money: float = column("the pot that the ledger let expect in this category", default=NAN)
    target_money: float = column("the total that buyers had to cover", default=NAN)
    won: bool = column("whether its promise was bought", default=False)
    reason: str = column("why it did not ask, or how its total ask came about where that is special", default="")


@dataclass(slots=True, kw_only=True)
class DeliveryRow:
    """What became of a pot."""

    auction: str = column("whose pot")
    dao: str = column("who was to deliver")
    winners: int = column("providers that paid into it", unit="count")
    pot_money: float = column("what they paid")
    due_by_s: float = column("until when the mint had to be in a public block")
    minted_at_s: float = column("timestamp of the mint's public block; empty where nothing was minted", default=NAN)
    settled_at_s: float = column("when all money had moved", default=NAN)
    age_s: float = column("age of the newest work in the model at that block", source="Eq. 11", default=NAN)
    delivered_quality: float = column("Q as the evaluators' median has it", default=NAN)
    delivered_freshness: float = column("F by the public chain's timestamps", default=NAN)
    delivered: float = column("δ, the part of the promise that was delivered", unit="share", default=0.0)
    released_money: float = column("what members received", default=0.0)
    refunded_money: float = column("what winners got back", default=0.0)
    sink_money: float = column("what nobody got")
    bond_money: float = column("the DAO's bond that was returned", default=0.0)
    bond_lost_money: float = column("the DAO's bond that was lost", default=0.0)
    worth_money: float = column("what the model as delivered was worth to its winners", default=NAN)
    effort_money: float = column("what members' effort cost them; empty for a crowd", default=0.0)
    evaluators: int = column("reports on the quality that the median is of", unit="count", default=0)
    liars: int = column("reports that helped who made them", unit="count", default=0)
    test_sets: int = column("test sets that had to be asked for until one was opened", unit="count", default=0)
    reason: str = column("why it was refunded, or delivered short", default="")
