"""Read the data of a study, whatever its layout."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

import pandas as pd

from myelosim.data import cdisc, laboratory, nonmem
from myelosim.data.assembly import by_group, joined, ordered
from myelosim.data.check import Ledger
from myelosim.data.clock import timed
from myelosim.data.columns import Columns, canonical, sort_columns
from myelosim.data.laboratory import is_laboratory
from myelosim.data.settings import Settings, Sheet, checked
from myelosim.data.source import load
from myelosim.data.study import Study
from myelosim.spec.digest import spec_hash
from myelosim.spec.model import Model

Table: TypeAlias = pd.DataFrame | str | Path


def read(
    data: Table | Sequence[Table],
    model: Model,
    *,
    columns: Mapping[str, str] | None = None,
    units: Mapping[str, str] | None = None,
    observables: Mapping[Any, str] | None = None,
    previous: bool = False,
    interpolation: str | Mapping[str, str] | None = None,
    lloq: float | str | Mapping[str, float | str] | None = None,
    drug: str | None = None,
    doses: Table | Mapping[str, str] | None = None,
    strict: bool = False,
) -> Study:
    """Read doses, observations, and what changes by row.

    A table has NONMEM's items, or is what an analyzer exports (a column per analyte, its unit in the header perhaps, or a row per
    result), or is SEND's LB, EX, PC or ADaM's ADLB, ADPC. Files are text, Excel, SAS transport or Dataset-JSON.

    Rows have NONMEM's items, in any case: ID TIME AMT RATE II ADDL SS EVID CMT DV MDV DVID, CENS and LIMIT or BLQ and LLOQ,
    OCC, DRUG, UNIT, DEATH (1 in the row of a death); ``.`` or nothing for missing. A DRUG that is a lineage is a transfusion of
    AMT units, ``blood`` a draw of the fraction AMT. Columns named after parameters or covariates hold them by row; one named
    after a drug holds concentrations that drive the model.

    Parameters
    ----------
    data : pandas.DataFrame, str, Path or list of them
        The table, the file that holds it, or a folder of domains; several are read together.
    model : Model
        Whose drugs, lineages, parameters and covariates the data speak of.
    columns : mapping, optional
        What -> the column that holds it, ``{"ID": "animal", "TIME": "hour"}``. Besides items, parameters, covariates, drugs and
        observables: DAY (study day, 1 is that of the first dose), DATE, START (date of the first dose), GROUP, and
        ``neutrophil %`` and ``band %`` (of the leukocytes).
    units : mapping, optional
        TIME, AMT, an observable, a parameter or a covariate -> its unit in the data. By default hours, the drug's own
        amount unit, and the unit the model has it in.
    observables : mapping, optional
        Number in DVID (else in YTYPE, else in CMT), name of a test or of a treatment -> what it is in the model.
    previous : bool
        Whether values by row hold from their row on (carried forward), not up to it (carried backward, the default).
    interpolation : {"previous", "next", "linear"} or mapping drug -> one of them
        How measured concentrations that drive the model are read between rows; there is no default.
    lloq : float, str or mapping observable -> either
        Lower limit of quantification; results below it are censored.
    drug : str, optional
        What is dosed where there is no DRUG; by default the model's one drug that is not supportive.
    doses : pandas.DataFrame, str, Path or mapping, optional
        A table of doses where the data have none, as a file looked for beside the data first; or GROUP -> doses in shorthand,
        ``{"low": "drug 20 mg QD d1-14"}``, and without a column GROUP ``{"": "..."}`` for all.
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
    given: list[Any] = [] if doses is None or isinstance(doses, Mapping) else [_beside(data, doses)]
    sheets, digest = load([*(data if isinstance(data, list | tuple) else [data]), *given], ledger)
    ledger.source = sheets[0].name
    names = [str(column) for sheet in sheets for column in sheet.frame.columns]
    settings = checked(settings, model, names, ledger)
    parts = [_items(sheet, model, settings, ledger) for sheet in sheets]
    sheet, held = joined(parts)
    sheet, held = timed(sheet, held, settings, ledger)
    if isinstance(doses, Mapping):
        sheet, held = by_group(sheet, held, doses, model, ledger)
        digest = spec_hash({"data": digest, "doses": dict(doses)})
    if len(parts) > 1 or isinstance(doses, Mapping) or parts[0][2]:
        sheet = ordered(sheet, ledger)
    return replace(nonmem.study(sheet, held, model, settings, ledger), digest=digest)


def _beside(data: Any, doses: Any) -> Any:
    """Return a file of doses that lies beside the data file, else what was given."""
    if not (isinstance(doses, str | Path) and isinstance(data, str | Path)):
        return doses
    beside = Path(data).parent / doses
    return beside if beside.is_file() else doses


def _items(sheet: Sheet, model: Model, settings: Settings, ledger: Ledger) -> tuple[Sheet, Columns, bool]:
    """Return a table as rows of NONMEM's items, and whether they have yet to be put in order of time."""
    if kind := cdisc.domain(sheet):
        sheet, columns = cdisc.items(sheet, model, settings, ledger)
        if kind != "EX":
            sheet, columns = laboratory.items(sheet, columns, model, settings, ledger)
        return sheet, columns, True
    sheet, columns = canonical(sheet, sort_columns(sheet, model, settings, ledger))
    if not is_laboratory(sheet, columns):
        return sheet, columns, False
    return *laboratory.items(sheet, columns, model, settings, ledger), True
