"""A run of the journal as a recording."""

from easynet.core.ids import RunId
from easynet.execution.journal import Journal
from easynet.execution.recording import Recording
from easynet.execution.redaction import redacted
from easynet.fabric.wire.decoding import decode_opaque
from easynet.planners.redaction import without_values


def recorded(journal: Journal, run: RunId, *, redact: bool) -> Recording:
    """What the journal has of a run so far; with `redact` without what the user gave and got."""
    results = {subtask: decode_opaque(body) for subtask, body in journal.results(run).items()}
    recording = Recording.of(journal.events(run), results)
    return redacted(recording, without_values) if redact else recording
