"""Drug-induced myelosuppression: counts, grades, nadirs and the days to draw blood."""

__version__ = "0.1.0"
