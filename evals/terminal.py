"""Reports as tables on the terminal."""

from rich.console import Console
from rich.table import Table

from evals.report import SuiteReport

_LEAST_WIDTH = 160
"""Tables are not squeezed into less, where nobody looks at a screen."""


def show(suites: tuple[SuiteReport, ...]) -> None:
    """Print a table for each suite."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=max(console.width, _LEAST_WIDTH))
    for suite in suites:
        console.print(_table(suite))
        for note in suite.notes:
            console.print(f"  {note}", style="dim", highlight=False)
        console.print()


def _table(suite: SuiteReport) -> Table:
    table = Table(title=f"{suite.suite}: {suite.title}", title_justify="left", box=None, pad_edge=False)
    table.add_column("", no_wrap=True)
    for measure in suite.measures:
        table.add_column(measure.name, justify="right")
    for label, row in suite.rows.items():
        cells = [measure.shown(row.get(measure.name)) for measure in suite.measures]
        table.add_row(label, *cells, style="dim" if label in suite.baselines else None)
    return table
