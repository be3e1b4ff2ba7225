"""The libraries that specialists need and the base installation does not have."""

from importlib.util import find_spec

from easynet.core.errors import MissingExtra


def require(*modules: str) -> None:
    """Raise `MissingExtra` where one of `modules` is not installed.

    Called before the imports in a function's body, so that whoever runs it learns what to install.
    """
    missing = [m for m in modules if find_spec(m) is None]
    if missing:
        raise MissingExtra(
            f"The library {missing[0]!r} is not installed on this node.",
            hint="Run: pip install 'easynet-os[specialists]'",
        )
