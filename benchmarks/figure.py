"""One measured figure beside its aim."""


def figure(name: str, value: float, unit: str, at_most: float) -> None:
    """Print a figure on one line, and whether it is within its aim."""
    verdict = "ok" if value <= at_most else "OVER"
    print(f"{name:<66} {value:8.3f} {unit:<4} (at most {at_most:g})  {verdict}")
