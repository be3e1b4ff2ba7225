"""`python -m easynet` is the `easynet` command."""

from easynet.cli import main

if __name__ == "__main__":
    main()
