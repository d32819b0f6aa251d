"""What can go wrong, one class per cause a caller may handle."""


class MyelosimError(Exception):
    """Base of every error this package raises on purpose."""


class SpecError(MyelosimError):
    """A model, scenario, regimen or option says something that cannot be."""


class DataError(MyelosimError):
    """A table of individuals, events or counts cannot be used as it is."""


class SimulationError(MyelosimError):
    """Subjects could not be integrated to the tolerance asked for."""


class ConvergenceError(MyelosimError):
    """An iteration (a steady state, a fit) did not arrive."""


class MyelosimWarning(UserWarning):
    """Something a reader of the result must know before using it."""
