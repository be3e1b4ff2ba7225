"""Chance that repeats: each draw is named, and depends on nothing but the seed and its name."""

import math
import random
from dataclasses import dataclass


@dataclass(frozen=True)
class Chance:
    """Draws of one seed. Those of one name are equal, whatever else was drawn, in whichever order."""

    seed: str

    def of(self, *name: object) -> random.Random:
        """A generator of its own for what is named."""
        return random.Random("|".join(map(str, (self.seed, *name))))

    def share(self, *name: object) -> float:
        """A number from 0 to 1, all equally likely."""
        return self.of(*name).random()

    def around_one(self, sigma: float, *name: object) -> float:
        """A factor whose logarithm is normal, with median 1."""
        return math.exp(self.of(*name).gauss(0.0, sigma))

    def below(self, *name: object) -> "Chance":
        """Draws that have nothing to do with those of this one."""
        return Chance("|".join(map(str, (self.seed, *name))))
