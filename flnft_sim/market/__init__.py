"""The market: votes and asks, matching, sealed bids, clearing rules, settlement, licences, and the audit of rules."""

from flnft_sim.market.audit import AuditReport, Counterexample, audit
from flnft_sim.market.clearing import Clearing, InvalidOutcome, InvalidReport, clear
from flnft_sim.market.licences import BASIS_POINTS, Licence, Licences
from flnft_sim.market.lots import Lots, seal_of_draw
from flnft_sim.market.matching import Content, Group, Matching, match, wishes
from flnft_sim.market.one_seller import alike_with_one_seller, posts_the_reserve
from flnft_sim.market.pot import Payout, Pot
from flnft_sim.market.pricing import (
    Rebid,
    ask_per_licence,
    learned_reserve,
    price_setter,
    rebid_step,
    share_setter,
    upper_quartile,
)
from flnft_sim.market.regret import forgone_money
from flnft_sim.market.rules import RULES, LearnsFromBids, NoTrade, RuleFacts, facts_of, learned_from
from flnft_sim.market.sealed import (
    Bid,
    BidRejected,
    BidStatus,
    BookEntry,
    Envelope,
    RejectionReason,
    SealedBids,
    SealSecret,
    seal,
    secret_of,
)
from flnft_sim.market.settlement import Settlement, payments_in_units, refund_all, settle, share_out
from flnft_sim.market.voting import VOTING, VoteResult, lower_median, vote

__all__ = [
    "BASIS_POINTS",
    "RULES",
    "VOTING",
    "AuditReport",
    "Bid",
    "BidRejected",
    "BidStatus",
    "BookEntry",
    "Clearing",
    "Content",
    "Counterexample",
    "Envelope",
    "Group",
    "InvalidOutcome",
    "InvalidReport",
    "LearnsFromBids",
    "Licence",
    "Licences",
    "Lots",
    "Matching",
    "NoTrade",
    "Payout",
    "Pot",
    "Rebid",
    "RejectionReason",
    "RuleFacts",
    "SealSecret",
    "SealedBids",
    "Settlement",
    "VoteResult",
    "alike_with_one_seller",
    "ask_per_licence",
    "audit",
    "clear",
    "facts_of",
    "forgone_money",
    "learned_from",
    "learned_reserve",
    "lower_median",
    "match",
    "payments_in_units",
    "posts_the_reserve",
    "price_setter",
    "rebid_step",
    "refund_all",
    "seal",
    "seal_of_draw",
    "secret_of",
    "settle",
    "share_out",
    "share_setter",
    "upper_quartile",
    "vote",
    "wishes",
]
