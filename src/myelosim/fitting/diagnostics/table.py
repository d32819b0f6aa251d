"""Observations beside what the model says of them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from myelosim.data.doses import singles
from myelosim.data.study import Study
from myelosim.errors import SpecError


def fit_table(study: Study, individual: np.ndarray, population: np.ndarray, **more: np.ndarray) -> pd.DataFrame:
    """Put observations beside their predictions: what goodness of fit and individual fits are drawn from.

    Parameters
    ----------
    study : Study
        What was fitted.
    individual, population : array (R,)
        Predictions at each subject's etas, and at etas of zero.
    **more : array (R,)
        What else is known of each row: ``cwres``, ``iwres``, ``npde``.

    Returns
    -------
    pandas.DataFrame
        By row: ``row`` in the file, ``subject``, ``observable``, ``time`` (h), ``occasion``, ``value`` in the observable's
        unit (the limit where censored), ``censored``, ``individual``, ``population``, and more.

    Raises
    ------
    SpecError
        An array is not as long as there are observations.
    """
    seen = study.observations
    columns = {"individual": individual, "population": population, **more}
    for name, values in columns.items():
        if len(values) != len(seen):
            raise SpecError(
                f"fit_table: {name} has {len(values)} values for {len(seen)} observations; give one for each"
            )
    names = np.asarray(study.subjects, dtype=object)[seen.subject]
    return pd.DataFrame(
        {
            "row": seen.row, "subject": names, "observable": seen.observable, "time": seen.time, "occasion": seen.occasion,
            "value": seen.value, "censored": seen.censored, **columns,
        }
    )  # fmt: skip


def dose_table(study: Study) -> pd.DataFrame:
    """List when each subject was dosed: what is ticked in individual fits.

    Parameters
    ----------
    study : Study
        What was fitted.

    Returns
    -------
    pandas.DataFrame
        ``subject``, ``time`` (h), ``drug``; repeated doses one by one, until the last observation of the study. Transfusions and
        blood draws are left out.
    """
    last = float(study.observations.time.max(initial=0.0))
    rows = []
    for name, events in zip(study.subjects, study.doses, strict=True):
        for event in events:
            if event.is_dose:
                rows += [(name, hour, event.drug) for hour in singles(event, max(last, event.time))]
    return pd.DataFrame(rows, columns=["subject", "time", "drug"])
