"""Fit the model of a file of past runs: `python -m easynet.planners.experience_fitting FILE < OFFERED`."""

import fcntl
import os
import resource
import sys
from collections.abc import Generator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from easynet.core.ids import RunId
from easynet.planners.experience import Experience
from easynet.planners.experience_file import FORMAT, save
from easynet.planners.experience_model import Lesson, Model
from easynet.planners.experience_plans import Shape
from easynet.planners.experience_store import SqliteExperience
from easynet.planners.experience_upkeep import FEWEST, Fitted, ModelFile, Offered, header_of, is_outdated
from easynet.planners.matching import Matcher
from easynet.planners.past_run import PastRun

_PRIORITY = 19
_MOST_CPU_S = 180
"""What takes longer has gone wrong."""


def fitted(lessons: Sequence[PastRun], version: int, offered: Offered) -> Fitted:
    """The model that these runs teach."""
    return _fitted(_taught(lessons), version, offered)


def renew(path: Path, offered: Offered) -> bool:
    """Fit the model anew where it is outdated; returns whether it did. Raises OSError where it cannot be.

    Of two processes that want to, one does.
    """
    model = ModelFile(path)
    with _alone(model.path.with_suffix(".lock")) as is_alone, closing(SqliteExperience(path)) as store:
        version, header = store.version(), header_of(model.path)
        if not is_alone:
            return False
        # The runs themselves are not kept while the model is fitted: they take as much memory as it does.
        taught = _taught(Experience(store.runs(), {c.name: c for c in offered.catalogue}).lessons)
        store.let_go()
        known = header["runs"] if header is not None and header["format"] == FORMAT else ()
        if len(taught) < FEWEST or not is_outdated(known, taught):
            return False
        made = _fitted(taught, version, offered)
        save(made, model.path)
        if not store.ids().issuperset(made.runs):
            model.path.unlink(missing_ok=True)  # something was forgotten meanwhile
        return True


def _taught(lessons: Sequence[PastRun]) -> Mapping[RunId, Lesson]:
    return {run.id: Lesson(run.text, Shape.of(run.graph)) for run in lessons}


def _fitted(taught: Mapping[RunId, Lesson], version: int, offered: Offered) -> Fitted:
    model = Model.fit([*taught.values()], Matcher(offered.catalogue), offered.links)
    return Fitted(tuple(taught), version, model)


@contextmanager
def _alone(lock: Path) -> Generator[bool]:
    """Whether nobody else is inside; the operating system lets go of it when the process dies."""
    descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(descriptor)


if __name__ == "__main__":
    os.nice(_PRIORITY)
    resource.setrlimit(resource.RLIMIT_CPU, (_MOST_CPU_S, _MOST_CPU_S))
    request = Offered.model_validate_json(sys.stdin.buffer.read())
    while renew(Path(sys.argv[1]), request):
        pass  # runs that ended meanwhile started nothing
