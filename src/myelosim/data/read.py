"""Read the data of a study, whatever its layout."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from myelosim.data import nonmem
from myelosim.data.check import Ledger
from myelosim.data.settings import Settings
from myelosim.data.source import load
from myelosim.data.study import Study
from myelosim.spec.model import Model


def read(
    data: pd.DataFrame | str | Path,
    model: Model,
    *,
    columns: Mapping[str, str] | None = None,
    units: Mapping[str, str] | None = None,
    observables: Mapping[Any, str] | None = None,
    previous: bool = False,
    interpolation: str | Mapping[str, str] | None = None,
    lloq: float | str | Mapping[str, float | str] | None = None,
    drug: str | None = None,
    strict: bool = False,
) -> Study:
    """Read doses, observations, and what changes by row.

    Rows have NONMEM's items, in any case: ID TIME AMT RATE II ADDL SS EVID CMT DV MDV DVID, CENS and LIMIT or BLQ and LLOQ,
    OCC, DRUG, UNIT, DEATH (1 in the row of a death); ``.`` or nothing for missing. A DRUG that is a lineage is a transfusion of
    AMT units, ``blood`` a draw of the fraction AMT. Columns named after parameters or covariates hold them by row; one named
    after a drug holds concentrations that drive the model.

    Parameters
    ----------
    data : pandas.DataFrame, str or Path
        The table, or the file that holds it.
    model : Model
        Whose drugs, lineages, parameters and covariates the data speak of.
    columns : mapping, optional
        What -> the column that holds it, ``{"ID": "animal", "TIME": "hour"}``.
    units : mapping, optional
        TIME, AMT, an observable, a parameter or a covariate -> its unit in the data. By default hours, the drug's own
        amount unit, and the unit the model has it in.
    observables : mapping, optional
        Number in DVID (else in YTYPE, else in CMT) -> observable, where it is no name.
    previous : bool
        Whether values by row hold from their row on (carried forward), not up to it (carried backward, the default).
    interpolation : {"previous", "next", "linear"} or mapping drug -> one of them
        How measured concentrations that drive the model are read between rows; there is no default.
    lloq : float, str or mapping observable -> either
        Lower limit of quantification; results below it are censored.
    drug : str, optional
        What is dosed where there is no DRUG; by default the model's one drug that is not supportive.
    strict : bool
        Whether a subject without observations and a repeated observation are errors.

    Returns
    -------
    Study
        With its check: a summary by subject, and all that was not taken as it stood.

    Raises
    ------
    DataError
        All that is wrong at once, with row numbers (the first after the header is 1) and remedies.

    Examples
    --------
    >>> import pandas as pd
    >>> from myelosim.spec import load_model
    >>> rows = [(1, 0, 40, "."), (1, 0, ".", 5.1), (1, 168, ".", "<0.1")]
    >>> one = read(pd.DataFrame(rows, columns=["ID", "TIME", "AMT", "DV"]), load_model("generic_oral_2cmt_friberg"))
    >>> one.observations.value, one.observations.censored, one.doses[0][0].amount
    (array([5.1, 0.1]), array([0, 1]), 40.0)
    """
    settings = Settings(
        dict(columns or {}), dict(units or {}), dict(observables or {}), previous, interpolation, strict, lloq, drug
    )
    ledger = Ledger("", strict)
    sheet, digest = load(data, ledger)
    ledger.source = sheet.name
    return replace(nonmem.study(sheet, model, settings, ledger), digest=digest)
