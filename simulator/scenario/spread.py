"""How a number differs from device to device: a distribution, asked for by its quantiles."""

from functools import cache
from math import exp, log
from statistics import NormalDist
from typing import Annotated, Final, Self, TypeAlias

from pydantic import Field, model_validator

from simulator.scenario.parts import Part

Positive: TypeAlias = Annotated[float, Field(gt=0, le=86_400)]
NORMAL: Final = NormalDist()
HIGH: Final = 0.95
EDGE: Final = 1e-9
"""So near to 0 and 1 quantiles come: a log-normal distribution has no smallest number, and no largest."""


class Spread(Part):
    """Exactly one of: from `least` to `most`, evenly; log-normal, by its `median` and `p95`; one of `any_of`.

    Of `any_of`, each is as likely as the next; one that stands there twice is twice as likely.
    """

    least: Positive | None = None
    """The smallest, with `most`."""
    most: Positive | None = None
    """The largest: in between, each is as likely as the next."""
    median: Positive | None = None
    """What half of the devices do not exceed, with `p95`."""
    p95: Positive | None = None
    """What 95 of 100 devices do not exceed."""
    any_of: Annotated[tuple[Positive, ...], Field(min_length=1)] | None = None
    """These and no others."""

    @model_validator(mode="after")
    def _one_of(self) -> Self:
        given = {name for name in type(self).model_fields if getattr(self, name) is not None}
        if given not in ({"least", "most"}, {"median", "p95"}, {"any_of"}):
            raise ValueError("name exactly one of: least and most; median and p95; any_of")
        if self.least is not None and self.most is not None and self.least > self.most:
            raise ValueError("least: more than most")
        if self.median is not None and self.p95 is not None and self.median > self.p95:
            raise ValueError("median: more than p95")
        return self

    def at(self, quantile: float) -> float:
        """The number that this part of all devices, between 0 and 1, does not exceed."""
        quantile = min(max(quantile, EDGE), 1 - EDGE)
        if self.least is not None and self.most is not None:
            return self.least + quantile * (self.most - self.least)
        if self.any_of is not None:
            return sorted(self.any_of)[int(quantile * len(self.any_of))]
        assert self.median is not None, "one of the three"
        assert self.p95 is not None, "with it"
        return self.median * exp(_deviations(quantile) / _deviations(HIGH) * log(self.p95 / self.median))


@cache
def _deviations(quantile: float) -> float:
    """How many standard deviations above its median a normal distribution has that quantile."""
    return NORMAL.inv_cdf(quantile)
