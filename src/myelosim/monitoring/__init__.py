"""On which days to draw blood: those that catch most under the blood-volume limit."""

from myelosim.monitoring.blood import Limit, Window, admissible, breaches, busiest, limits, share, windows_of
from myelosim.monitoring.calendar import Chosen, Score, choose, drawn, score, shown
from myelosim.monitoring.candidates import Candidates, candidates
from myelosim.monitoring.choice import Choice, best_days, worth

__all__ = [
    "Candidates",
    "Choice",
    "Chosen",
    "Limit",
    "Score",
    "Window",
    "admissible",
    "best_days",
    "breaches",
    "busiest",
    "candidates",
    "choose",
    "drawn",
    "limits",
    "score",
    "share",
    "shown",
    "windows_of",
    "worth",
]
