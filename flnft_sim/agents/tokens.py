"""Which number an FL-NFT has on the public chain."""

from flnft_sim.errors import InputError
from flnft_sim.ledger import Block, Chain


class Tokens:
    """Numbers of FL-NFTs in the order in which blocks hold their mintings, 1 first."""

    def __init__(self, chain: Chain) -> None:
        self._minted = 0
        self._newest: dict[str, int] = {}  # by address of the DAO
        chain.on_block.append(self._count)

    def newest_of(self, dao: str) -> int:
        """The number of what the DAO of that address minted last."""
        try:
            return self._newest[dao]
        except KeyError:
            raise InputError(f"{dao} has minted nothing yet; mint first") from None

    def _count(self, block: Block) -> None:
        for transaction in block.transactions:
            if transaction.kind == "mint":
                self._minted += 1
                self._newest[transaction.sender] = self._minted
