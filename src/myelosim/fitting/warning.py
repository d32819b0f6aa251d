"""What a fit says against itself."""

from __future__ import annotations

from dataclasses import dataclass

AGAINST = frozenset({"not_converged", "gradient", "inner", "covariance"})
"""Codes with which a fit is not called converged."""


@dataclass(frozen=True)
class FitWarning:
    """Something that a fit must not keep quiet about: ``code`` names it, ``text`` says what was seen and what to do."""

    code: str
    text: str

    def __str__(self) -> str:
        return f"{self.code}: {self.text}"
