"""The engine: numba lives here and only here."""
