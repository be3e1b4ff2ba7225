"""Scripts that print every number the README states. Run one, or all: `python -m benchmarks`."""
