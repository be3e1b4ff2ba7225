"""Versions of EasyNet at the two ends of a call."""

from easynet._version import __version__

OWN = __version__


def differ(one: str, other: str) -> bool:
    """Whether two versions differ by more than corrections; unknown ones do not."""
    return bool(one and other) and one.split(".")[:2] != other.split(".")[:2]
