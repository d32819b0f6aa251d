"""How well a clinic keeps to the plan: the ``[conduct]`` table of a scenario."""

from __future__ import annotations

from myelosim.spec.document import Table
from myelosim.spec.literal import found
from myelosim.spec.rule import Conduct


def read_conduct(table: Table, days: float) -> Conduct:
    """Read turnaround, blood loss, missed doses, scatter of doses, dropout and clinical signs; ``days`` is the horizon."""
    held = table.table("conduct")
    if held is None:
        return Conduct()
    turnaround = held.quantity("turnaround", "h", 0.0, low=0.0, high=24.0 * 30, example="1 d")
    blood_loss = held.boolean("blood_loss", False)
    missed = held.number("missed", 0.0, low=0.0, high=1.0)
    dose_cv = held.number("dose_cv", 0.0, low=0.0, high=10.0)
    dropout = held.number("dropout", 0.0, low=0.0, high=0.99)
    signs = {name: _sign(one, days) for name, one in held.children("signs").items()}
    held.known.append("signs")
    held.finish()
    return Conduct(turnaround, blood_loss, missed, dose_cv, dropout, signs)


def _sign(table: Table, days: float) -> dict[int, tuple[float, ...]]:
    """Read ``subject = [days]`` of one sign."""
    out: dict[int, tuple[float, ...]] = {}
    for key in table.data:
        value = table.raw(key)
        noted = value if isinstance(value, list) else [value]
        if not key.isdigit():
            table.fail(key, f"'{key}' is not the number of a subject; write e.g. 17 = [8, 9]")
        elif not all(isinstance(d, int | float) and not isinstance(d, bool) and 0 <= d <= days for d in noted):
            table.fail(key, f"{found(value)} are no elapsed days up to the horizon of {days:g}; write e.g. 17 = [8, 9]")
        else:
            out[int(key)] = tuple(sorted(float(d) for d in noted))
    return out
