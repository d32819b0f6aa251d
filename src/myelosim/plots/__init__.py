"""Plots: a Dataset in, Axes out; nothing is computed here."""
