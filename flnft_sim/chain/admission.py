"""Which transactions no block can hold, said in the same words by every engine."""

from dataclasses import dataclass

from flnft_sim.chain.engine import Account
from flnft_sim.chain.errors import TransactionRefused
from flnft_sim.chain.forks import most_init_code


@dataclass(frozen=True)
class Offer:
    """What a signed transaction asks a block for."""

    sender: str
    chain_id: int | None
    """None where an old signature names no chain."""
    nonce: int
    gas: int
    least_gas: int
    """What its data takes before anything is done."""
    owed: int
    """Wei it may cost at most, what it sends included."""
    init_code: int
    """Bytes of code that make a contract; 0 where none is made."""


def admit(offer: Offer, account: Account, *, fork: str, chain_id: int) -> None:
    """Raise `TransactionRefused`, with the remedy, where the sender's account or the fork's rules do not let it in."""
    most = most_init_code(fork)
    if offer.chain_id not in (None, chain_id):
        fault = f"is for chain {offer.chain_id}, this is chain {chain_id}; sign it for this one"
    elif offer.nonce != account.nonce:
        fault = f"has nonce {offer.nonce}, its sender's next one is {account.nonce}; sign it with that"
    elif offer.gas < offer.least_gas:
        fault = f"has a gas limit of {offer.gas}, its data alone takes {offer.least_gas}; give more gas"
    elif offer.owed > account.balance:
        fault = f"may cost {offer.owed} wei, its sender holds {account.balance}; give the account more money"
    elif most is not None and offer.init_code > most:
        fault = f"creates a contract by {offer.init_code} bytes, {fork} takes {most}; make it smaller"
    else:
        return
    raise TransactionRefused(f"the transaction of {offer.sender} {fault}")
