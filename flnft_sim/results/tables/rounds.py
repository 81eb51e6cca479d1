"""The tables of training: `rounds`, `users`, `contributions`, `privacy`, `aoi`."""

from dataclasses import dataclass

from flnft_sim.results.tables.columns import NAN, column


@dataclass(slots=True, kw_only=True)
class RoundRow:
    """An FL round of a DAO."""

    dao: str = column("whose round")
    episode: int = column("which minting, from 0")
    round: int = column("which round of the minting, from 1")
    start_s: float = column("when it began")
    end_s: float = column("when its aggregation was done")
    decision_s: float = column("how long providers and users exchanged prices and answers", source="§5.1")
    iterations: int = column("exchanges held")
    decision_gap: float = column("by how much prices still changed in the last exchange, relative", default=NAN)
    decision_settled: bool | None = column("whether prices settled before the decision period T was over", default=None)
    participants: int = column("members who took part", unit="count")
    stayed_out: int = column("members who did not", unit="count")
    late_dropped: int = column("updates that were not final at the deadline", unit="count")
    dropped_out: int = column("users who dropped out in training", unit="count")
    stalled: int = column("updates on which consensus stalled", unit="count")
    aborted: int = column("updates whose secure sum was given up, too few being there", unit="count", default=0)
    delivered: int = column("updates that were final in time and aggregated", unit="count")
    accuracy: float = column("of the model on the test set, after the round", unit="share")
    loss: float = column("mean cross-entropy on the test set, after the round", unit="nat")
    quality: float = column("Q, the quality that contributions promise", source="Eq. 10")
    freshness: float = column("F, the freshness that ages promise", source="Eq. 12")
    aoi_mean_s: float = column("age of information, its mean over the round", source="Eq. 11")
    reward_announced_money: float = column("Σ_i Σ_j δ_ij, all that providers announced to users", source="Eq. 13")


@dataclass(slots=True, kw_only=True)
class UserRow:
    """A member in a round; of a crowd only the last round is kept."""

    dao: str = column("whose member")
    episode: int = column("which minting, from 0")
    round: int = column("which round of the minting, from 1")
    user: str = column("who")
    local_epochs: int = column("k_i, epochs trained (0: took no part)", source="Eq. 15")
    privacy_budget: float = column("ε_i chosen (0: took no part, inf: no noise)", source="Eq. 15")
    takes_part: bool = column("whether the user took part")
    train_s: float = column("training")
    masking_s: float = column("what a secure sum takes beside the upload: keys, shares, masks, unmasking", default=0.0)
    upload_s: float = column("uploading")
    consensus_s: float = column("waiting until the update was final")
    age_s: float = column("T_i, from the start of training to finality; empty where nothing is final", source="Eq. 11")
    loss: float = column("mean cross-entropy of the local model on local data", unit="nat")
    update_norm: float = column("‖g̃_i‖, norm of the update as shared", source="Eq. 7")
    quality_share: float = column("τ_i^Q, share of the quality money", unit="share", source="Eq. 13")
    freshness_share: float = column("τ_i^F, share of the freshness money", unit="share", source="Eq. 13")
    reward_announced_money: float = column("Σ_j δ_ij, announced for a whole minting", source="Eq. 13")
    user_utility: float = column("Φ_i of a whole minting at what was played; no money", source="Eq. 14")
    cost_round_money: float = column("what the round's effort cost", source="Eq. 6 and 7")
    cash_surplus_money: float = column("announced reward less the costs of a whole minting")
    exploitability: float = column("what the best answer would have added to Φ_i", source="Eq. 15")
    reward_received_money: float = column("what the user was paid after the auction; on the minting's last row")
    outcome: str = column("how the round ended: final, late, dropped out, stalled, aborted, stayed out, away")
    delivered_so_far: int = column("updates of this minting that were aggregated", unit="count")
    late_so_far: int = column("updates of this minting that were late", unit="count")
    dropped_out_so_far: int = column("rounds of this minting in which it dropped out", unit="count")
    stalled_so_far: int = column("updates of this minting on which consensus stalled", unit="count")
    aborted_so_far: int = column("updates of this minting whose secure sum was given up", unit="count", default=0)
    pay_share: float = column("share of what the minting earns, by what was delivered", unit="share")


@dataclass(slots=True, kw_only=True)
class ContributionRow:
    """What a member that took part in a round contributed; a run has the columns of the measures that it asked for.

    Measures are empty where the update did not arrive; a measure of one's own has a column of its name.
    """

    dao: str = column("whose member")
    episode: int = column("which minting, from 0")
    round: int = column("which round of the minting, from 1")
    user: str = column("who")
    conduct: str = column("`honest`, or what it does instead")
    arrived: bool = column("whether its update was aggregated")
    paper: float = column("θ^Q of what it reports", source="Eq. 10", default=NAN)
    volume: float = column("|D|, its samples", unit="count", default=NAN)
    leave_one_out: float = column(
        "v(N) − v(N∖i): v(S) is what the average of S lowers the loss by", unit="nat", default=NAN
    )
    loss_drop: float = column("v({i})", unit="nat", default=NAN)
    cosine: float = column("cosine of its update and the aggregate's", default=NAN)
    shapley: float = column("its mean gain in v over sampled orders of users", unit="nat", default=NAN)
    shapley_error: float = column("the standard error of that; 0 where the value is exact", unit="nat", default=NAN)
    shapley_exact: float = column("its Shapley value over all coalitions", unit="nat", default=NAN)
    pay_share: float = column("share of what the minting earns, by what was delivered so far", unit="share")
    paid_money: float = column("what the user was paid after the auction; on the minting's last row")


@dataclass(slots=True, kw_only=True)
class PrivacyRow:
    """A user's privacy over the last minting; a run has the columns of its `learning.privacy.mechanism`."""

    user: str = column("who")
    rounds: int = column("`paper`: rounds in which something was shared", unit="count")
    noise_scale_min: float = column("`paper`: the least scale of the Laplace noise", source="Eq. 4")
    noise_scale_max: float = column("`paper`: the greatest scale of the Laplace noise", source="Eq. 4")
    epsilon_round: float = column("`paper`: the largest ε of a round that holds; empty where none does")
    epsilon_total_basic: float = column("`paper`: the sum over rounds that holds")
    epsilon_total_tight: float = column("`paper`: the ε that holds in all at δ, composed by an accountant")
    mechanism: str = column("`dp-*`: how users train")
    unit: str = column("`dp-*`: whose presence is hidden")
    neighbours: str = column("`dp-*`: which data sets are not to be told apart")
    delta: float = column("δ of the guarantee in all")
    epsilon_contracted: float = column("`dp-*`: ε agreed on for the whole minting; empty for who never trained")
    noise_multiplier: float = column("`dp-*`: σ, the noise's deviation over C; 0 where no noise was asked for")
    clip_l2: float = column("`dp-*`: C, the bound of a record's gradient")
    sampling_rate: float = column("`dp-*`: q, the coin of a record for each lot")
    steps_allowed: int = column("`dp-*`: steps that σ was made for", unit="count")
    steps_taken: int = column("`dp-*`: steps trained, lost uploads included", unit="count")
    epsilon_guaranteed: float = column("`dp-*`: ε that holds whatever was trained, PLD at the steps allowed")
    epsilon_rdp: float = column("`dp-*`: the same by Rényi accounting, as many papers print it")
    epsilon_spent: float = column(
        "`dp-*`: PLD at the steps taken; holds only if how many did not depend on private data"
    )
    stopped_in_round: int = column("`dp-*`: the round in which the budget was spent, 0 for none")
    assumptions: str = column("`dp-*`: what the guarantee rests on, who sees what, what is outside")
    guarantee: str = column("what holds, in words")


@dataclass(slots=True, kw_only=True)
class AgeRow:
    """A corner of the saw-tooth of a DAO's age of information."""

    dao: str = column("whose model")
    episode: int = column("which minting, from 0")
    time_s: float = column("when")
    age_s: float = column("how old the freshest update in the model was then", source="Eq. 11")
