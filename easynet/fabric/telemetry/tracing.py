"""Traces of calls across processes, with OpenTelemetry, where the program or a setting asks for them.

Spans carry names, times and kinds of errors; never arguments, results, or the words of an error, which may
hold what an argument held. Their names and attributes follow the semantic conventions for RPC.
"""

import re
import sys
from contextlib import AbstractContextManager
from importlib.metadata import entry_points
from importlib.util import find_spec
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Literal, Self

from easynet._version import __version__
from easynet.core.errors import EasyNetError, MissingExtra, RemoteFailure, SettingsError
from easynet.settings import Settings

if TYPE_CHECKING:
    from opentelemetry import trace
    from opentelemetry.sdk.trace.export import SpanExporter

Kind = Literal["client", "server", "internal"]

_CLASS_NAME: Final = re.compile(r"[\w.]{1,100}")
GATEWAY: Final = "gateway"
"""What the methods of a gateway are named under; no function has a `/` in its name."""
_OTHER: Final = "_OTHER"
"""What the conventions call a kind of error that has no name."""


def tracer() -> "Tracer | None":
    """What spans are made with; `None` where tracing is off, which whoever makes calls asks once.

    It is on where the program has set a `TracerProvider` before, or where the setting `otel` asks for one.
    Raises MissingExtra, or SettingsError, where the setting cannot be followed.
    """
    settings = Settings()
    if settings.otel:
        _set_up(settings.otel_traces_exporter)
    # Where nobody has imported it, nobody has set a provider.
    api = sys.modules.get("opentelemetry.trace")
    if api is None:
        return None
    provider = api.get_tracer_provider()
    if isinstance(provider, (api.ProxyTracerProvider, api.NoOpTracerProvider)):
        return None
    return Tracer(provider)


class Tracer:
    """Makes spans of one provider, which sends them wherever the program has said."""

    def __init__(self, provider: "trace.TracerProvider") -> None:
        # Imported here: it needs the extra.
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        self._tracer = provider.get_tracer("easynet", __version__)
        self._propagator = TraceContextTextMapPropagator()

    def inject(self) -> str:
        """The `traceparent` of the span that is current here; "" where there is none."""
        carrier: dict[str, str] = {}
        self._propagator.inject(carrier)
        return carrier.get("traceparent", "")

    def call(self, function: str, node: str = "", traceparent: str | None = None) -> "Span":
        """A span of a call that is sent from here, to one node or, in turn, to several.

        It is below the current one, or the one that `traceparent` names; "" begins a trace.
        """
        context = None if traceparent is None else self._context(traceparent)
        return self._start(function, "client", context, _rpc(function, node))

    def served(self, function: str, node: str, traceparent: str) -> "Span":
        """A span of a call that runs here, below the caller's; of a trace of its own where that is not known.

        `function` is one that the node offers: a caller's word would make any number of names.
        """
        return self._start(function, "server", self._context(traceparent), _rpc(function, node))

    def question(self, what: str, host: str, port: int) -> "Span":
        """A span of a question to the gateway, below the current span."""
        method = f"{GATEWAY}/{what}"
        return self._start(method, "client", None, {**_rpc(method, host), "server.port": port})

    def answered(self, what: str, traceparent: str) -> "Span":
        """A span of a gateway's answer, below the question."""
        method = f"{GATEWAY}/{what}"
        return self._start(method, "server", self._context(traceparent), _rpc(method, ""))

    def span(self, name: str, traceparent: str = "", /, **attributes: str | int | float | bool) -> "Span":
        """A span of something else, below the one that `traceparent` names, or else the current one."""
        context = self._context(traceparent) if traceparent else None
        return self._start(name, "internal", context, attributes)

    def _context(self, traceparent: str) -> Any:
        # What is not a traceparent gives an empty context, and so the root of a new trace.
        return self._propagator.extract({"traceparent": traceparent})

    def _start(self, name: str, kind: Kind, context: Any, attributes: dict[str, Any]) -> "Span":
        # Imported here: it needs the extra.
        from opentelemetry.trace import SpanKind

        span = self._tracer.start_span(
            name, context=context, kind=SpanKind[kind.upper()], attributes=attributes
        )
        return Span(span)


class Span:
    """Something that takes time, until `end`; as a context manager it is the current span, too.

    An asynchronous generator calls `end` by itself: what is current there is not its own to say.
    """

    def __init__(self, span: "trace.Span") -> None:
        self._span = span
        self._current = self.current()

    @property
    def traceparent(self) -> str:
        """What another process needs in order to go on with this trace."""
        context = self._span.get_span_context()
        return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"

    def goes_to(self, node: str) -> None:
        """Note the node that the call is sent to now."""
        self._span.set_attribute("server.address", node)

    def fail(self, error: BaseException) -> None:
        """Note the kind of an error, and no word of it."""
        # Imported here: it needs the extra.
        from opentelemetry.trace import StatusCode

        self._span.set_attribute("error.type", error_type(error))
        if isinstance(error, EasyNetError):
            self._span.set_attribute("rpc.response.status_code", error.code)
        self._span.set_status(StatusCode.ERROR)

    def current(self) -> AbstractContextManager[object]:
        """A way to be the current span for a while, without an end."""
        # Imported here: it needs the extra.
        from opentelemetry.trace import use_span

        return use_span(self._span, record_exception=False, set_status_on_exception=False)

    def end(self, error: BaseException | None = None) -> None:
        """Note that it is over, and the kind of error that ended it."""
        if error is not None:
            self.fail(error)
        self._span.end()

    def __enter__(self) -> Self:
        self._current.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._current.__exit__(None, None, None)
        self.end(error)


def error_type(error: BaseException) -> str:
    """The kind of an error in a word: the code of EasyNet's own, the class of one that a function raised."""
    if isinstance(error, RemoteFailure):
        return error.remote_type if _CLASS_NAME.fullmatch(error.remote_type) else _OTHER
    return error.code if isinstance(error, EasyNetError) else type(error).__name__


def _rpc(function: str, node: str) -> dict[str, Any]:
    attributes = {"rpc.system.name": "easynet", "rpc.method": function}
    return {**attributes, "server.address": node} if node else attributes


def _set_up(exporter: str) -> None:
    """Send the spans of this process out, unless its program has seen to that before."""
    if any(find_spec(name) is None for name in ("opentelemetry", "opentelemetry.sdk")):
        raise _missing("opentelemetry-sdk")
    # Imported here: they need the extra.
    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    names = [name.strip() for name in (exporter or "otlp").split(",") if name.strip() != "none"]
    if not names or not isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider):
        return
    provider = TracerProvider()
    for name in names:
        provider.add_span_processor(BatchSpanProcessor(_exporter(name)))
    trace.set_tracer_provider(provider)


def _exporter(name: str) -> "SpanExporter":
    if name == "console":
        # Imported here: it needs the extra.
        from opentelemetry.sdk.trace.export import ConsoleSpanExporter

        return ConsoleSpanExporter(out=sys.stderr)  # stdout is for results
    entry = "otlp_proto_http" if name == "otlp" else name
    for found in entry_points(group="opentelemetry_traces_exporter", name=entry):
        made: SpanExporter = found.load()()
        return made
    if name == "otlp":
        raise _missing("opentelemetry-exporter-otlp-proto-http")
    raise SettingsError(
        f"no OpenTelemetry exporter named {name!r} is installed",
        hint="OTEL_TRACES_EXPORTER may be otlp, console or none.",
    )


def _missing(library: str) -> MissingExtra:
    return MissingExtra(
        f"tracing needs the library {library!r}, which is not installed",
        hint="Run: pip install 'easynet-os[otel]', or unset EASYNET_OTEL.",
    )
