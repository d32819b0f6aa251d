"""What can become of a subject, as sentences with their remedy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

OUTCOMES = {
    0: "done",
    1: "the step size became too small",
    2: "too many steps were needed",
}
REMEDY = "Check the parameters and omegas named."
SHOWN = 3


@dataclass(frozen=True)
class Failure:
    """A subject that no setting could integrate."""

    subject: int
    block: str
    status: int
    time: float  # h
    parameters: Mapping[str, float]


def describe(failures: Sequence[Failure], subjects: int) -> str:
    """Return one message for all failures.

    Examples
    --------
    >>> print(describe([Failure(812, "neutrophil", 1, 340.8, {"neutrophil.baseline": 0.03})], 2000))
    1 of 2,000 subjects failed; first: subject 812 (neutrophil, day 14.2: the step size became too small;
    neutrophil.baseline=0.03). Check the parameters and omegas named.
    """
    shown = "; ".join(
        f"subject {f.subject} ({f.block}, day {f.time / 24:.1f}: {OUTCOMES[f.status]}; "
        + ", ".join(f"{name}={value:.3g}" for name, value in f.parameters.items())
        + ")"
        for f in failures[:SHOWN]
    )
    return f"{len(failures):,} of {subjects:,} subjects failed; first: {shown}. {REMEDY}"
