"""Fakes that are small real implementations, for tests and evals."""
