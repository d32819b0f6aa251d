"""The decision log: who, what was seen, what was decided, when it took effect."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from myelosim.rules.look import Bools, Floats


@dataclass
class Log:
    """Decisions in the order in which they were taken.

    ``lineages`` are those whose observed counts are kept with each decision.
    """

    lineages: Sequence[str]
    subject: list[NDArray[np.intp]] = field(default_factory=list)
    seen: list[Floats] = field(default_factory=list)
    said: list[tuple[float, float, str, str]] = field(
        default_factory=list
    )  # hour seen, hour of effect, rule, what is done
    occurrence: list[NDArray[np.intp]] = field(default_factory=list)

    def note(
        self, who: Bools, rule: str, what: str, hour: float, effect: float, occurrence: NDArray[np.intp],
        observed: Mapping[str, Floats],
    ) -> None:  # fmt: skip
        """Note one decision of one rule about some subjects."""
        rows = np.flatnonzero(who)
        if not len(rows):
            return
        self.subject.append(rows)
        self.seen.append(np.stack([observed[name][rows] for name in self.lineages], axis=1))
        self.said.append((hour, effect, rule, what))
        self.occurrence.append(occurrence[rows])

    def columns(self) -> dict[str, NDArray[np.generic]]:
        """Return the log by decision: ``subject``, ``day``, ``effect_day``, ``rule``, ``what``, ``occurrence``, ``seen``."""
        sizes = [len(rows) for rows in self.subject]
        said = [np.repeat([row[k] for row in self.said], sizes) for k in range(4)]
        empty = np.zeros(0, int)
        return {
            "subject": np.concatenate([empty, *self.subject]),
            "day": said[0].astype(float) / 24.0,
            "effect_day": said[1].astype(float) / 24.0,
            "rule": said[2].astype(str),
            "what": said[3].astype(str),
            "occurrence": np.concatenate([empty, *self.occurrence]),
            "seen": np.concatenate([np.zeros((0, len(self.lineages))), *self.seen]),
        }
