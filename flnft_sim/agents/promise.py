"""A promise of quality and freshness, what it is worth, and what of it a delivery keeps."""

from dataclasses import dataclass, replace

from flnft_sim.game.contest import delivered_part, provider_values, release_exponent


@dataclass(frozen=True)
class Measured:
    """A model's quality and freshness."""

    quality: float
    freshness: float


@dataclass(frozen=True)
class Promise:
    """What every DAO of a clearing promises: Q̂ and F̂ of k⁰ epochs a round, cautiously."""

    epochs: int
    quality: float
    freshness: float
    reference: Measured
    """Q_ref and F_ref: what k⁰ epochs a round are expected to come to."""
    elasticity: float
    """η, of the part delivered in epochs."""
    value_cap: float

    def worth(self, valuation_money: float, quality_elasticity: float, model: Measured) -> float:
        """v_j, money: what a licence of such a model is worth to who would give `valuation_money` for the reference."""
        values = provider_values(
            valuation_money,
            model.quality,
            model.freshness,
            quality_elasticity=quality_elasticity,
            freshness_elasticity=1.0 - quality_elasticity,
            reference_quality=self.reference.quality,
            reference_freshness=self.reference.freshness,
            most=self.value_cap,
        )
        return float(values[0])

    def of(self, model: Measured) -> "Promise":
        """The same with a model that is there already."""
        return replace(self, quality=model.quality, freshness=model.freshness)

    @property
    def model(self) -> Measured:
        """The model as it is promised."""
        return Measured(self.quality, self.freshness)

    def delivered(self, model: Measured) -> float:
        """δ: what of the promise the model keeps."""
        return float(
            delivered_part(
                model.quality, model.freshness, promised_quality=self.quality, promised_freshness=self.freshness
            )
        )

    def exponent(self, users: int, a: float) -> float:
        """m/η, the power of δ that is released to a DAO of so many users; one user has no contest: δ itself."""
        if users < 2:
            return 1.0
        return release_exponent(a=a, users=users, promised_epochs=self.epochs, elasticity=self.elasticity)
