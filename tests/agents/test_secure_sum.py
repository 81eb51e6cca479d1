"""A round under secure aggregation: four rounds of messages, masks, and no sum where too few deliver."""

import numpy as np
import pytest

from flnft_sim import FlnftModel, load_scenario, run
from flnft_sim.errors import InputError
from flnft_sim.network import SecureSum

ROUND_TRIP_S = 0.25
SECURE = {
    "learning.privacy.mechanism": "dp-secagg",
    "learning.privacy.sampling_rate": 1.0,
    "learning.privacy.round_trip_s": ROUND_TRIP_S,
    "learning.rounds": 2,
    "learning.scheme": "random",
    "game.epochs_max": 1,
    "game.default_epochs": 1,
    "game.history_auctions": 2,
}


def outcome(**fields):
    return run(load_scenario("tiny", overrides=SECURE | {name.replace("__", "."): v for name, v in fields.items()}))


def masking_by_hand(model, result):
    """Bits over the rates that the cell's log has, cycles over clocks, and four round trips."""
    dao = model.daos[0]
    n, words = len(dao.members), dao.learner.model.parameter_count
    costs, hz = SecureSum(n, words, 16), dao.members.cpu_hz
    spectral = dao.world.cell.links.upload_alone_s(1.0)  # seconds a bit, alone; n equal shares take n times as long
    uploads_s = sum(n * bits * spectral.min() for bits in (costs.key_bits, costs.share_bits, costs.reveal_bits))
    computing_s = (costs.agreement_cycles + costs.masking_cycles) / hz.max() + costs.unmasking_cycles(n) / hz.max()
    return 4 * ROUND_TRIP_S + uploads_s + computing_s


def test_masking_takes_four_round_trips_and_the_slowest_of_each():
    model = FlnftModel(load_scenario("tiny", overrides=SECURE))
    model.run()
    result = model.result()
    first = result.users[result.users["round"] == 1]
    least = masking_by_hand(model, result)
    assert (first["masking_s"] >= least).all()
    assert first["masking_s"].to_numpy() == pytest.approx(least, rel=0.05), "little but the four round trips"
    spans = result.spans[(result.spans["phase"] == "masking") & (result.spans["round"] == 1)]
    assert spans.groupby("agent").size().to_dict() == {"dao-0": 1} | {f"user-{n}": 4 for n in range(4)}


def test_an_update_is_final_when_the_sum_is_and_not_before():
    result = outcome()
    for number, own in result.users.groupby("round"):
        end_s = result.rounds.set_index("round")["end_s"][number]
        assert own["age_s"].nunique() == 1
        masked = result.spans[(result.spans["phase"] == "upload") & (result.spans["round"] == number)]
        assert end_s - masked["end_s"].max() > 2 * ROUND_TRIP_S
    assert (result.users["outcome"] == "final").all()
    assert result.summary["minting_masking_s"] >= 2 * 4 * ROUND_TRIP_S


def test_masked_words_hold_the_sum():
    plain = outcome(learning__privacy__mechanism="none", learning__privacy__sampling_rate=0.1)
    masked = outcome()
    ratio = masked.users["upload_s"].sum() / plain.users["upload_s"].sum()
    assert ratio == pytest.approx(SecureSum(4, 1, 16).sum_bits / 32, rel=0.05)
    wider = outcome(learning__privacy__value_bits=32)
    assert wider.users["upload_s"].sum() > 1.5 * masked.users["upload_s"].sum()


def test_too_few_deliver_and_nothing_is_summed():
    lost = outcome(failures__dropout_rate=0.5, failures__return_s=0.01, learning__rounds=6)
    spare = outcome(
        failures__dropout_rate=0.5, failures__return_s=0.01, learning__rounds=6, learning__privacy__colluders=2
    )
    for result, colluders in ((lost, 0), (spare, 2)):
        rounds = result.rounds
        aborted = rounds["aborted"] > 0
        there = rounds["participants"] - rounds["dropped_out"]
        assert (there[aborted] < rounds["participants"][aborted] - colluders).all()
        whole = rounds["delivered"] > 0
        assert (rounds["delivered"][whole] >= rounds["participants"][whole] - colluders).all()
        assert (rounds["aborted"] + rounds["delivered"] == there).all()
        last = result.users.groupby("user")["aborted_so_far"].last().sum()
        assert last == rounds["aborted"].sum() == result.summary["aborted_total"]
    assert lost.rounds["aborted"].sum() > spare.rounds["aborted"].sum()
    unchanged = lost.rounds["accuracy"].diff().fillna(0.0)[lost.rounds["delivered"] == 0].iloc[1:]
    assert np.array_equal(unchanged, np.zeros(len(unchanged))), "no sum, no step"


def test_who_does_not_deliver_makes_unmasking_longer():
    whole = outcome()
    some = outcome(failures__dropout_rate=0.5, failures__return_s=0.01, learning__privacy__colluders=3)
    one_mask_s = whole.spans[(whole.spans["agent"] == "dao-0") & (whole.spans["phase"] == "masking")]["duration_s"]
    spans = some.spans[(some.spans["agent"] == "dao-0") & (some.spans["phase"] == "masking")]
    delivered = some.rounds.set_index("round")["delivered"]
    for row in spans.to_dict("records"):
        there = delivered[row["round"]]
        n = some.rounds.set_index("round")["participants"][row["round"]]
        if n == 4:
            assert row["duration_s"] == pytest.approx(one_mask_s.iloc[0] / 4 * there * (1 + n - there))


#: What else a crowd wants: private curves as they were fitted, a link without cross-talk.
CROWD = {
    "population.crowd_from": 2,
    "radio.cross_talk": 0.0,
    "learning.learner": "surrogate",
    "learning.activation": "tanh",
    "learning.inputs": "unit",
    "learning.learning_rate": 2.0,
    "learning.momentum": 0.0,
}


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"game.epochs_max": 2, "learning.scheme": "pms-am"}, "epochs_max"),
        ({"learning.privacy.sampling_rate": 0.5}, "sampling_rate"),
        ({"learning.privacy.colluders": 4}, "colluders"),
        (CROWD, "dp-secagg"),
    ],
)
def test_what_a_secure_sum_cannot_do_is_refused_with_the_reason(fields, place):
    with pytest.raises(InputError, match=place):
        load_scenario("tiny", overrides=SECURE | fields)
