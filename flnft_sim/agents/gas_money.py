"""Gas as money: what transactions cost their senders, booked to whoever produced the block."""

from collections import Counter

from flnft_sim.chain.keys import producer_address
from flnft_sim.clock.public_chain import PublicChain
from flnft_sim.errors import InputError
from flnft_sim.ledger import Accounts, Block, InsufficientFunds

WEI_PER_UNIT = 10**12


class GasMoney:
    """Books the gas of every block as it comes about: gas × price, from the senders to the block's producer.

    Prices of gas are finer than a unit of money: a sender has paid its whole units of all that it owes so far, so that
    its account is never a unit above what a chain that counts in wei would say.
    """

    def __init__(self, accounts: Accounts, chain: PublicChain, *, price_wei: int) -> None:
        self._accounts, self._chain, self._price_wei = accounts, chain, price_wei
        self._owed_wei: Counter[str] = Counter()
        self._paid: Counter[str] = Counter()
        self.producers: dict[str, str] = {}
        """Names by address."""
        if price_wei:
            chain.chain.on_block.append(self._book)

    def _book(self, block: Block) -> None:
        if not block.time_s:  # past auctions, before the first second
            return
        producer = producer_address(block.producer).removeprefix("0x")
        if producer not in self.producers:
            self.producers[producer] = block.producer
            self._accounts.open(producer)
        for transaction in block.transactions:
            sender = transaction.sender
            self._owed_wei[sender] += self._chain.gas_owed(transaction) * self._price_wei
            units = self._owed_wei[sender] // WEI_PER_UNIT - self._paid[sender]
            if units:
                self._pay(sender, producer, units, f"gas of {transaction.kind}")

    def _pay(self, sender: str, producer: str, units: int, memo: str) -> None:
        try:
            self._accounts.transfer(sender, producer, units, memo)
        except InsufficientFunds as error:
            raise InputError(f"{error}; raise public_chain.purse_money, or lower public_chain.gas_price_gwei") from None
        self._paid[sender] += units
