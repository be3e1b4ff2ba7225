"""Run this folder's benchmarks: `python -m benchmarks.fabric [--peers]`."""

import sys

from benchmarks.fabric import calls, flood, idle, peers, scale, transfer


def main() -> None:
    """Print every figure of the fabric but those beside other engines."""
    for benchmark in (calls, transfer, scale, idle, flood):
        benchmark.main()


if __name__ == "__main__":
    if sys.argv[1:] == ["--peers"]:
        peers.main()
    else:
        main()
