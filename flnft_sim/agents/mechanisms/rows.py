"""The rows that a sale leaves in the tables `promises` and `deliveries`."""

from collections.abc import Iterator, Mapping

from flnft_sim.agents.dao.dao import MuDao
from flnft_sim.agents.mechanisms.sale import Sale
from flnft_sim.agents.world import World
from flnft_sim.ledger import from_units, to_units
from flnft_sim.market import Clearing, Payout
from flnft_sim.results.tables import NAN, DeliveryRow, PromiseRow


def promise_rows(
    sale: Sale, clearing: Clearing, foreseen_money: float, asks: Mapping[tuple[int, int], tuple[float, str]]
) -> Iterator[PromiseRow]:
    """A row for each DAO that asked."""
    auction, promise = sale.auction, sale.promise
    target = float(clearing.payments.sum()) if clearing.buyers.size else NAN
    for dao, ask in zip(auction.sellers, auction.announced_asks.tolist(), strict=True):
        yield PromiseRow(
            auction=auction.name,
            dao=dao.name,
            category=auction.category,
            promised_epochs=promise.epochs,
            promised_quality=promise.quality,
            promised_freshness=promise.freshness,
            reference_quality=promise.reference.quality,
            reference_freshness=promise.reference.freshness,
            ask_money=ask,
            bond_money=dao.world.settings.market.bond_money,
            foreseen_pot_money=foreseen_money,
            target_money=target,
            won=dao is sale.winner,
            reason=asks[dao.number, promise.epochs][1],
        )


def delivery_row(sale: Sale, dao: MuDao, payout: Payout, world: World) -> DeliveryRow:
    """What became of a pot."""
    paid, refunded = sum(sale.pot.paid.values()), sum(payout.refunds.values())
    row = DeliveryRow(
        auction=sale.name,
        dao=dao.name,
        winners=len(sale.pot.paid),
        pot_money=from_units(paid),
        due_by_s=sale.due_by_s,
        minted_at_s=sale.minted_s,
        settled_at_s=world.env.now,
        released_money=from_units(payout.released),
        refunded_money=from_units(refunded),
        sink_money=from_units(payout.sunk),
    )
    row.effort_money = sum(dao.costs_money) if dao.members.users else NAN
    bond = from_units(to_units(world.settings.market.bond_money))
    if sale.model is None:
        row.bond_lost_money, row.reason = bond, "nothing was minted by the deadline: all paid back"
        return row
    row.bond_money, row.delivered = bond, sale.promise.delivered(sale.model)
    row.worth_money = sum(sale.auction.delivered_worths.values())
    row.age_s = dao.age.age(sale.minted_s)
    row.delivered_quality, row.delivered_freshness = sale.model.quality, sale.model.freshness
    if sale.report is not None:
        row.evaluators, row.liars, row.test_sets = sale.report.evaluators, sale.report.liars, sale.report.test_sets
    row.reason = _short_of(sale)
    return row


def _short_of(sale: Sale) -> str:
    """In what a delivery fell short; "" where it did not."""
    assert sale.model is not None
    pairs = (
        ("quality", sale.model.quality, sale.promise.quality),
        ("freshness", sale.model.freshness, sale.promise.freshness),
    )
    return "; ".join(f"{what} {there:.3g} of {wanted:.3g} promised" for what, there, wanted in pairs if there < wanted)
