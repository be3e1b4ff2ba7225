"""Make a case of a run: `python -m evals add RUN [--name NAME] [--data-dir DIR] [--plain]`."""

import argparse
import re
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from easynet.cli.exits import explain
from easynet.cli.run_export import recorded
from easynet.core.errors import EasyNetError, UsageError
from easynet.execution.journal import SqliteJournal
from easynet.execution.recording import Recording
from easynet.settings import Settings
from evals.portable import portable
from evals.simulation.case import RECORDINGS


def main(argv: Sequence[str]) -> int:
    """Add a run of the user's journal to the recordings; the exit code is that of `easynet`."""
    parser = argparse.ArgumentParser(prog="python -m evals add", description=__doc__)
    parser.add_argument("run", metavar="RUN", help="a run's id, or its beginning")
    parser.add_argument("--name", help="the case's name; by default the run's id")
    parser.add_argument("--data-dir", type=Path, metavar="DIR", help="where EasyNet keeps its runs")
    parser.add_argument("--plain", action="store_true", help="with all values; by default they are hidden")
    parser.add_argument("--to", type=Path, default=RECORDINGS, metavar="DIR", help="where the cases are")
    options = parser.parse_args(argv)
    try:
        path = add(
            options.run,
            options.data_dir or Settings().usable_data_dir(),
            options.to,
            name=options.name,
            is_plain=options.plain,
        )
    except EasyNetError as error:
        return explain(error)
    print(f"{path} is a case now")
    return 0


def add(run: str, data_dir: Path, folder: Path, *, name: str | None = None, is_plain: bool = False) -> Path:
    """The new file in `folder` with the recording of a run; raises UsageError where it cannot be a case."""
    journal_path = data_dir / "journal.db"
    if not journal_path.is_file():
        raise UsageError(f"{data_dir} has no runs", hint="Name EasyNet's data directory with --data-dir.")
    with closing(SqliteJournal(journal_path)) as journal:
        recording = recorded(journal, journal.find(run), redact=not is_plain)
    _check(recording)
    stem = recording.run_id if name is None else name
    if not re.fullmatch(r"\w[\w-]*", stem):
        raise UsageError(f"{stem!r} is no name for a file", hint="Use letters, digits, - and _.")
    path = folder / f"{stem}.jsonl"
    content = portable(recording, (data_dir,))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with path.open("xb") as file:
            file.write(content)
    except FileExistsError:
        raise UsageError(f"there is a case {stem!r} already", hint="Choose another --name.") from None
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror or error}") from error
    return path


def _check(recording: Recording) -> None:
    """Raise UsageError where a run cannot be replayed."""
    if recording.ended is None or recording.ended.status != "succeeded":
        how = recording.ended.status.replace("_", " ") if recording.ended else "not finished"
        raise UsageError(
            f"run {recording.run_id} is {how}, and only a run that succeeded shows how it is done",
            hint=f"Go on with it: easynet runs resume {recording.run_id}",
        )
    unknown = [c for c in recording.graph.capabilities if c not in recording.by_name]
    if unknown:
        raise UsageError(
            f"run {recording.run_id} does not tell what {unknown[0]!r} takes and gives",
            hint="An earlier version wrote it. Run it again, and add the new run.",
        )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
