"""Run every benchmark: `python -m benchmarks`."""

import platform
from datetime import date

from benchmarks import runner_overhead, start_up, task_graph
from benchmarks.fabric import __main__ as fabric

print(f"# {date.today()}, Python {platform.python_version()}, {platform.system()} {platform.machine()}")
start_up.main()
task_graph.main()
runner_overhead.main()
fabric.main()
