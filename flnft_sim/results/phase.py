"""What an agent can be busy with: the phases of an episode."""

from enum import StrEnum


class Phase(StrEnum):
    """Every phase that an agent can be in, in the order in which tables and pictures show them."""

    DECISION = "decision"
    RANKING = "ranking"
    TRAINING = "training"
    MASKING = "masking"
    UPLOAD = "upload"
    CONSENSUS = "consensus"
    AGGREGATION = "aggregation"
    MEASURING = "measuring"
    WAITING = "waiting"
    MINTING = "minting"
    VOTING = "voting"
    BIDDING = "bidding"
    CLEARING = "clearing"
    SETTLEMENT = "settlement"
    ACCESS = "access"

    @classmethod
    def of_minting(cls) -> tuple["Phase", ...]:
        """Those between the start of round 1 and the NFT's finality; the auction comes after."""
        every = tuple(cls)
        return every[: every.index(cls.MINTING) + 1]
