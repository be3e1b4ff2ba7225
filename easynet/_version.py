"""The version of EasyNet."""

__version__ = "0.1.0"
