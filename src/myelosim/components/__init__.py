"""Equations: one component, one file, one registry line."""
