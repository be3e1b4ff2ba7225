"""The command line. A command's module is imported when the command runs, so that `--help` stays fast."""

import sys


def main() -> None:
    """Run the command line. Ctrl-C ends it without a word, even while it is still loading."""
    try:
        # Imported here, where an interrupt is heard.
        from easynet.cli.app import main as run

        run()
    except KeyboardInterrupt:
        sys.exit(130)
