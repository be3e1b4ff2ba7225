"""The command line. A command's module is imported when the command runs, so that `--help` stays fast."""

from easynet.cli.app import main

__all__ = ("main",)
