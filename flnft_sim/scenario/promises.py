"""What a scenario of the mechanism `sound` cannot promise, refused when it is read."""

from typing import Any

from flnft_sim.scenario.surrogate_scope import fitted_workloads


def refuse_impossible_promises(scenario: Any) -> None:
    """Raise `ValueError` naming the first promise of `sound` that could not be made, kept or paid for."""
    if scenario.market.mechanism != "sound":
        return
    game, market, learning = scenario.game, scenario.market, scenario.learning
    promised, spread = market.promised_epochs or game.default_epochs, market.promise_spread
    most = promised + spread if scenario.population.categories > 1 else promised
    if most > game.epochs_max:
        raise ValueError(
            f"market.promised_epochs: a promise of {most} epochs a round is above game.epochs_max = {game.epochs_max}: "
            "nobody could keep it; promise less or allow more"
        )
    if spread >= promised:
        raise ValueError(
            f"market.promise_spread = {spread}: promises would range down to {promised - spread} epochs a round; "
            f"choose a spread below the promise of {promised}"
        )
    if market.reserve_money == 0:
        raise ValueError(
            "market.reserve_money = 0: every pot would be 0, and nobody works for that; give more, or none to learn it"
        )
    workload = f"{learning.dataset}/{learning.model}"
    if workload not in fitted_workloads():
        raise ValueError(
            f"learning.dataset, learning.model: what {promised} epochs a round of {workload} come to (Q_ref of a "
            f"promise) is not known; choose one of {', '.join(fitted_workloads())}"
        )
    if learning.scheme != "pms-am":
        raise ValueError(f"learning.scheme = {learning.scheme} asks users nothing, and here they compete; use pms-am")
