"""A small simulated study, and fits of it."""

import warnings

import myelosim as ms

OMEGA = {"neutrophil.baseline": 0.1, "neutrophil.mtt": 0.04}
SIGMA = {"neutrophil.proportional": 0.15}
FREE = ["neutrophil.baseline", "neutrophil.mtt", "drug.neutrophil.slope"]
VISITS = [0, 3, 6, 8, 10, 12, 14, 18, 22]


def model(**values):
    made = ms.load_model("generic_oral_2cmt_friberg")
    still = {name: {"omega_sd": 0.0} for name, one in made.parameters.items() if one.omega_sd and name not in OMEGA}
    spread = {name: {"omega_sd": variance**0.5} for name, variance in OMEGA.items()}
    return made.replace({**still, **spread}).replace({"drug.neutrophil.slope": 0.6, **values})


def study(made, visits=VISITS, size=10, seed=2):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ms.MyelosimWarning)
        ds = ms.simulate(made, "drug 60 mg BID d1-4", days=28, population=ms.Population(size, seed=seed), visits=visits)
    return ms.to_events(ds).drop(columns=["CMT", "YTYPE"])


def fitted(made, rows, **how):
    return ms.fit(made, rows, **{"omega": OMEGA, "sigma": SIGMA, "free": FREE, "starts": 1, "covariance": "r", **how})
