"""Calibration of the shipped drugs to reported incidences."""
