"""An FL-NFT: a minted model."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

from numpy.typing import NDArray

from flnft_sim.agents.decision import Agreement
from flnft_sim.arrays import Floats
from flnft_sim.ledger import LatePayload, canonical_json, fl_nft_document, mint_payload, model_hash, sha256_hex
from flnft_sim.results import weights_bytes


@dataclass(frozen=True)
class Manuscript:
    """What is minted, written when somebody reads it: `fl-nft.js`, of what is `told`, and a safetensors file."""

    weights: dict[str, NDArray[Any]]
    told: Mapping[str, Any]
    document_file: str
    weights_file: str

    @cached_property
    def weights_hash(self) -> str:
        """The model's hash."""
        return model_hash(weights_bytes(self.weights))

    @cached_property
    def document(self) -> str:
        """The text of `fl-nft.js`."""
        return fl_nft_document(model_hash=self.weights_hash, parameter_uri=self.weights_file, **self.told)

    def payload(self, dao: str) -> LatePayload:
        """What the mint transaction carries, by a length that is known before anything is written."""
        unwritten = self._payload(dao, document="", weights_hash=sha256_hex(b""))
        return LatePayload(len(canonical_json(unwritten)), partial(self._written, dao))

    def _written(self, dao: str) -> dict[str, str]:
        return self._payload(dao, self.document, self.weights_hash)

    def _payload(self, dao: str, document: str, weights_hash: str) -> dict[str, str]:
        files = {"nft_file": self.document_file, "model_file": self.weights_file}
        return mint_payload(document, dao=dao, model_hash=weights_hash, **files)


@dataclass(frozen=True)
class FlNft:
    """What is sold, the satisfaction it gives, whose work it is, and its files."""

    name: str
    decision: Agreement  # the last round's
    shares: Floats  # (N,) of what it earns, by what each member delivered over the whole minting
    files: Manuscript
    final_s: float
    token: int
    """Its number on the public chain."""

    @property
    def due(self) -> Floats:
        """What each member's deliveries entitle it to of all announced rewards: (N,) money."""
        return self.shares * float(self.decision.rewards.sum())
