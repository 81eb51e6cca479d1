"""How much gas a call may take at most: what a block must have room for, and what is declared where trying fails.

Measured on the contracts and rounded up by a fifth and more; what a call then uses comes from its execution.
"""

MAX_BIDS, MAX_ASKS, MAX_VOTERS = 256, 32, 256
"""What the contracts hold: bids and asks of an auction, members who vote in a DAO."""

PORTION = 50
"""Bids that one call opens or settles, bidders that one registers."""

REGISTER, EACH_REGISTERED = 60_000, 30_000
ANNOUNCE, ASK, OPEN_ASK = 240_000, 260_000, 120_000
BID, BID_BYTE = 180_000, 60
OPEN, EACH_OPENED = 80_000, 30_000
CLEAR, EACH_CLEARED, EACH_ASKED = 260_000, 18_000, 20_000
SETTLE, EACH_SETTLED = 80_000, 120_000
WITHDRAW, COLLECT, CLAIM = 70_000, 200_000, 200_000
MINT, START_VOTE, POST = 260_000, 120_000, 160_000
PROPOSE, VOTE, EACH_16_MEMBERS, TALLY, EACH_MEMBER = 100_000, 80_000, 30_000, 160_000, 8_000
OFFER, BUY = 100_000, 200_000


def of_clearing(bids: int, asks: int) -> int:
    """The most that clearing so many bids and asks takes."""
    return CLEAR + EACH_CLEARED * bids + EACH_ASKED * asks


def of_vote(members: int) -> int:
    """The most that one's approvals of so many members' asks take."""
    return VOTE + EACH_16_MEMBERS * -(-members // 16)


def of_tally(members: int) -> int:
    """The most that counting so many members' votes takes."""
    return TALLY + EACH_MEMBER * members


def most(bids: int, asks: int, box_bytes: int, voters: int) -> tuple[str, int]:
    """The call of an auction of that size, or of a DAO of so many voters, that may take the most gas, and how much."""
    some = min(bids, PORTION)
    calls = {
        "register": REGISTER + EACH_REGISTERED * some,
        "bid": BID + BID_BYTE * box_bytes,
        "open": OPEN + EACH_OPENED * some,
        "clear": of_clearing(bids, asks),
        "settle": SETTLE + EACH_SETTLED * some,
        "mint": MINT,
        "vote": max(of_vote(voters), of_tally(voters)),
    }
    return max(calls.items(), key=lambda call: call[1])
