"""On which days to draw blood: those that catch most under the blood-volume limit."""

from myelosim.monitoring.blood import Limit, breaches, limits
from myelosim.monitoring.calendar import Calendar, Score, recommend, score, shown
from myelosim.monitoring.candidates import Candidates, candidates
from myelosim.monitoring.choice import Choice, best_days, worth

__all__ = [
    "Calendar",
    "Candidates",
    "Choice",
    "Limit",
    "Score",
    "best_days",
    "breaches",
    "candidates",
    "limits",
    "recommend",
    "score",
    "shown",
    "worth",
]
