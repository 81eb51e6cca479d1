"""What makes two runs the same run, over years in which scenarios gain fields and names.

A run is known by its resolved scenario, so a field that comes later would make every earlier run a stranger, although
with one value of the field nothing has changed. Two small tables say what has come since journals were published:

* `ADDED`: fields, with the value that means the behaviour from before they existed. A field that has this value is left
  out, so the run is the one of then. Any other value, the field's own default included, makes it another run.
* `RENAMED`: scenarios, with the name and description that they had then; neither changes a result.

Figures of a summary that were renamed are in `flnft_sim.results.tables.RENAMED`.

A default that changes needs no line here: the resolved scenario holds the value. The scenario files that published runs
are from (`paper10`, `table3`) must then write the value of then, as they must for a new field whose default is not it.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

#: Dotted field -> the value that means the behaviour from before the field existed.
ADDED: Mapping[str, Any] = {
    "game.user_reply": "price-taking",
    "game.engine": "auto",  # the numbers of then, but for roundings
    "game.leadership": "simultaneous",
    "game.provider_utility": "printed",
    "timeline.longest_s": 1e8,  # no published run came near
    "private_ledger.request_hop": False,
    "imports": [],
    "game.utility": "fair",
    "game.cost": "linear",
    "game.reward": "proportional",
    "game.contribution": "paper",
    "game.measures": [],
    "game.reputation": 0.0,
    "game.shapley_error": 0.05,
    "game.shapley_orders": 1000,
    "game.shapley_truncation": 1e-3,
    "learning.validation_share": 0.0,
    "learning.byzantine_share": 0.2,
    "game.privacy_taste": [1.0, 1.0],
    "market.mechanism": "paper",
    "game.score_epochs_exponent": 0.5,
    "game.score_privacy_exponent": 0.05,
    "game.score_freshness_exponent": 0.0,
    "game.quality_measure": "accuracy",
    "game.attestation": "loss-drop",
    "market.order": "presale",
    "market.promised_epochs": None,
    "market.promise_spread": 0,
    "market.category_choice": "fixed",
    "market.delivery_deadline_s": 3600.0,
    "market.bond_money": 10.0,
    "market.value_cap": 2.0,
    "market.lone_margin": 0.1,
    "failures.idle_daos": 0,
    "failures.lying_evaluators": 0.0,
    "failures.silent_committers": 0,
    "failures.skipping_users": 0,
    "failures.free_riders": 0,
    "failures.lazy": 0,
    "failures.label_flippers": 0,
    "failures.label_flip_share": 1.0,
    "failures.poisoners": 0,
    "failures.poison_scale": -1.0,
    "failures.sybils": 0,
    "failures.liars": 0,
    "failures.lie_factor": 0.1,
    "learning.activation": "relu",
    "learning.inputs": "standard",
    "learning.privacy.mechanism": "paper",
    "learning.privacy.delta": 1e-5,
    "learning.privacy.clip_l2": 1.0,
    "learning.privacy.lots": "poisson",
    "learning.privacy.sampling_rate": 0.1,
    "learning.privacy.planned_epochs": None,
    "learning.privacy.when_spent": "stop",
    "learning.privacy.weights": "inverse-variance",
    "learning.privacy.colluders": 0,
    "learning.privacy.round_trip_s": 0.1,
    "learning.privacy.value_bits": 16,
    "learning.privacy.trusted_sizes": False,
    "population.keywords": 0,
    "population.keywords_carried": 1,
    "population.keywords_demanded": [0, 1],
    "radio.downlink_dbm": 44.0,
    "market.value_law": "learned",
    "market.value_range_money": [0.0, 100.0],
    "market.value_mean_money": 50.0,
    "market.licence_s": None,
    "public_chain.backend": "model",
    "public_chain.fork": "prague",
    "public_chain.node": "http://127.0.0.1:8545",
    "public_chain.chain_id": 1337,
    "public_chain.voting_s": 120.0,
    "public_chain.opening_s": 120.0,
    "public_chain.gas_price_gwei": 0.0,
    "public_chain.purse_money": 10.0,
}

#: Name -> the fields beside its settings that it was known by.
RENAMED: Mapping[str, Mapping[str, str]] = {
    "paper10": {
        "name": "roblox10",
        "description": "The paper's MU-DAO of ten users and five providers, on the embedded handwritten digits",
    },
}


def identity(resolved: Mapping[str, Any]) -> str:
    """128 bits of SHA-256 over the canonical JSON of a resolved scenario as it was written then, its seed included."""
    text = json.dumps(as_of_then(resolved), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def as_of_then(
    resolved: Mapping[str, Any],
    *,
    added: Mapping[str, Any] | None = None,
    renamed: Mapping[str, Mapping[str, str]] | None = None,
) -> dict[str, Any]:
    """The resolved scenario with the fields and the name that it had before those of the tables came."""
    fields = dict(resolved)
    for dotted, value in (ADDED if added is None else added).items():
        fields = _without(fields, dotted.split("."), value)
    names = (RENAMED if renamed is None else renamed).get(str(fields.get("name")), {})
    return {**fields, **names}


def _without(fields: Mapping[str, Any], path: list[str], value: Any) -> dict[str, Any]:
    """A copy without the field at `path` if it has this value, and without a section that this leaves empty."""
    first, *rest = path
    kept = {name: inner for name, inner in fields.items() if name != first}
    if first not in fields:
        return kept
    if not rest:
        return kept if fields[first] == value else dict(fields)
    inner = fields[first]
    if isinstance(inner, Mapping) and inner:
        inner = _without(inner, rest, value)
        return {**kept, first: inner} if inner else kept
    return dict(fields)
