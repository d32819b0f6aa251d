"""What the generated part of a program defines, shown for a program without states.

The other modules of this folder import from here; in an emitted program those imports give way to generated definitions of the
same names. Arrays are flat; row ``r`` of a scratch array is the eight lanes from ``8 * r``.

========  =====================================================  =========================================
scratch   holds                                                  rows
========  =====================================================  =========================================
C         parameters and what depends on them alone              CONSTANTS
Y, F      states and their derivatives                           STATES
Z, G      the same after a step being tried                      STATES
M, N      the same in the middle of a step                       STATES
A         PK modes                                               MODES
S         steady exposures, their slopes, infusion rates         DRUGS + DRUGS + INPUTS
T         decay of each mode, by step size and node              sizes x NODES x MODES
X         exposures and infusion rates at a stage                DRUGS + INPUTS
K         what the stepper needs                                 SCRATCH
O         outputs and their slopes before, after and within a     6 x OUTPUTS + 2 x COUNTS
          step; the thresholds next to each count
========  =====================================================  =========================================
"""

from __future__ import annotations

from typing import Any

STATES = 0
MODES = 0  # decaying PK modes
DRUGS = 0  # exposures given by modes or tables
INPUTS = 0  # infusion rates into ODE states
COUNTS = 0  # watched counts, first among the outputs
WATCHED = False  # whether there are any; a plain name, so that numba leaves out what does not apply
OUTPUTS = 0
PARAMETERS = 0  # rows copied from the caller
CONSTANTS = 0  # these and what is derived from them
SCRATCH = 0
START = 0  # first row of the states' start, in C
RATE = 0  # first row of the decay rates, in C
CHANNEL_DRUG: tuple[int, ...] = (0,)  # per dosing channel: its drug, first mode, number of modes, first row of weights
CHANNEL_MODE: tuple[int, ...] = (0,)
CHANNEL_MODES: tuple[int, ...] = (0,)
CHANNEL_WEIGHT: tuple[int, ...] = (0,)
NODES: tuple[float, ...] = (1.0,)  # distinct stage times, as fractions of a step; the last is 1


def constants(P: Any, n: int, g: int, C: Any) -> None:
    """Copy the parameters of the group from subject ``g`` on and derive what depends on them alone."""


def rhs(C: Any, Y: Any, X: Any, D: Any) -> None:
    """Write the derivatives ``D`` of the states ``Y`` under the exposures ``X``."""


def observe(C: Any, Y: Any, X: Any, O: Any, row: int) -> None:
    """Write the outputs from ``row`` on; the counts among them are linear in ``Y``."""


def carry(C: Any, Y: Any) -> None:
    """Derive the carried states from the others."""


def expose(A: Any, S: Any, T: Any, row: int, h: float, X: Any) -> None:
    """Write the exposures ``h`` hours after the start of a step; ``row`` of the table holds the decay of the modes."""


def expose_now(A: Any, S: Any, X: Any) -> None:
    """Write the exposures at the start of a step."""


def attempt(work: Any, size: int, h: float, rtol: float) -> tuple[bool, bool]:
    """Try a step ``h`` from Y, F to Z, G; return whether all lanes are within tolerance, and far within it."""
    return True, True
