"""What a component declares: its parameters and its states."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Declared:
    """A parameter that a component asks for.

    Parameters
    ----------
    name : str
        Last part of the parameter's full name.
    unit : str
        Unit of the value; ``{amount}`` and ``{concentration}`` stand for the drug's own units.
    meaning : str
        One line for tables.
    scale : {"log", "logit", "identity"}
        Scale on which individuals vary and on which it is estimated.
    lower, upper : float
        Open bounds of the value; ``closed`` admits the bounds themselves.
    default : float, optional
        Value where a model file says nothing; without it the parameter must be given.
    setting : bool
        Data say nothing of it, or it is chosen rather than found: not estimated unless that is asked for.
    """

    name: str
    unit: str
    meaning: str
    scale: str = "log"
    lower: float = 0.0
    upper: float = float("inf")
    closed: bool = False
    default: float | None = None
    setting: bool = False


@dataclass(frozen=True, slots=True)
class State:
    """A state of an ODE component.

    ``carried`` marks a state that is a function of the others (a feedback power carried along to save evaluating
    it); the engine derives it anew at every breakpoint through the component's ``carry``.
    """

    name: str
    unit: str
    carried: bool = False


class Values:
    """Named values with attribute access: what a component receives as ``p`` and ``site``."""

    def __init__(self, **values: Any) -> None:
        self.__dict__.update(values)

    def __repr__(self) -> str:
        return f"Values({', '.join(f'{k}={v!r}' for k, v in self.__dict__.items())})"
