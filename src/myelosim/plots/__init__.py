"""Plots: a Dataset in, Axes out; nothing is computed here but what a small function beside it computes.

Pictures are drawn in the style ``myelosim.plots.myelosim``, whatever the caller's, and belong to no window: show one in a
notebook as ``plot_nadir(result)[0].figure``, save it with its ``savefig``, or give Axes of your own as ``ax``.

To add a plot: a file with ``plot_x(result, *, ax=None)`` and the numbers it shows as a function in ``figures.py``, a line
here, a test in ``tests/plots`` of each.
"""

from __future__ import annotations

from myelosim.plots.design import plot_design
from myelosim.plots.fit import plot_goodness_of_fit
from myelosim.plots.fit_check import plot_visual_check
from myelosim.plots.fit_etas import plot_etas
from myelosim.plots.fit_individuals import plot_individual_fits
from myelosim.plots.fit_npde import plot_npde
from myelosim.plots.fit_search import plot_objective, plot_starts
from myelosim.plots.fit_thetas import plot_priors, plot_profile
from myelosim.plots.forecast import plot_forecast
from myelosim.plots.front import plot_front
from myelosim.plots.incidence import plot_incidence
from myelosim.plots.monitoring import plot_monitoring
from myelosim.plots.nadir import plot_nadir
from myelosim.plots.occupancy import plot_grade_occupancy
from myelosim.plots.subject import plot_subject
from myelosim.plots.summary import plot_summary
from myelosim.plots.surface import plot_surface
from myelosim.plots.trajectories import plot_trajectories

__all__ = [
    "plot_design",
    "plot_etas",
    "plot_forecast",
    "plot_front",
    "plot_goodness_of_fit",
    "plot_grade_occupancy",
    "plot_incidence",
    "plot_individual_fits",
    "plot_monitoring",
    "plot_nadir",
    "plot_npde",
    "plot_objective",
    "plot_priors",
    "plot_profile",
    "plot_starts",
    "plot_subject",
    "plot_summary",
    "plot_surface",
    "plot_trajectories",
    "plot_visual_check",
]
