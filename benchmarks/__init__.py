"""Benchmarks: named problems, our engine and rivals on the same work, one table."""
