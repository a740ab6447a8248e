"""Who plays, as the command line asks for it: which scenario, how many devices, of which models."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from simulator.scenario import Scenario


@dataclass(frozen=True, slots=True)
class Cast:
    """A scenario and by how many devices it is played; `groups` has who of them is good or bad, if that is shown."""

    scenario: "Scenario"
    devices: int
    groups: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def taken(cls, name: str, given: dict[str, Any]) -> Self:
        """Of a scenario's name; take the options that bear on it out of those given. Raises InputError."""
        from simulator.devices.models import model_named
        from simulator.scenario import load

        model, versus, limit, devices = map(given.pop, ("model", "versus", "time_limit_seconds", "devices"))
        scenario = load(name)
        if model is not None:
            model_named(model)
            scenario = scenario.cast(model)
        if limit is not None:
            scenario = scenario.model_copy(update={"time_limit_seconds": limit})
        plain = cls(scenario, devices or scenario.play_with)
        return plain if versus is None else cls(scenario, 2 * plain.devices).beside(versus)

    def beside(self, model: str) -> Self:
        """Half of them of that model, each beside a good one. Raises InputError."""
        from simulator.devices.models import model_named
        from simulator.scenario import thing_names
        from simulator.scenario.versus import parts, side_by_side

        model_named(model)
        played = side_by_side(self.scenario, model)
        return type(self)(played, self.devices, dict(parts(self.scenario, played, thing_names(self.devices))))
