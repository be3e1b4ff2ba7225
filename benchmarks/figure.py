"""One measured figure beside its target."""


def figure(
    name: str, value: float, unit: str, *, at_most: float | None = None, at_least: float | None = None
) -> None:
    """Print a figure on one line, and whether it meets its target, where it has one."""
    target, is_met = "measured", True
    if at_most is not None:
        target, is_met = f"at most {at_most:g}", value <= at_most
    elif at_least is not None:
        target, is_met = f"at least {at_least:g}", value >= at_least
    has_target = at_most is not None or at_least is not None
    verdict = ("ok" if is_met else "MISS") if has_target else ""
    print(f"{name:<72} {value:10.3f} {unit:<7} ({target})  {verdict}".rstrip(), flush=True)
