"""Other solvers on bench-1: one module each, with ``solve(individuals) -> counts (subject, day)``; skipped where not installed."""

NAMES = ("scipy_lsoda", "numbalsoda_dop853", "diffrax_tsit5")
