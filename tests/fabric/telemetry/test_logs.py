"""Log lines: legible, one a record, and without any secret wherever it was put."""

import io
import json
import logging
import string
import time
from collections.abc import Callable, Iterator

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from easynet.core.errors import UsageError
from easynet.fabric.telemetry.logs import configure, redacted

LOGGER = logging.getLogger("easynet.fabric.gateway.gateway")


@pytest.fixture(autouse=True)
def loggers_as_before() -> Iterator[None]:
    yield
    for name in ("easynet", "asyncio", "nats"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
        logger.setLevel(logging.NOTSET)


def logged(write: Callable[[logging.Logger], None], level: str = "info", *, as_json: bool = False) -> str:
    stream = io.StringIO()
    configure(level, json=as_json, stream=stream)
    write(LOGGER)
    return stream.getvalue()


def test_line_has_time_level_message_and_pairs() -> None:
    line = logged(
        lambda log: log.warning("node joined", extra={"node": "gpu", "calls": 3, "why": "no reason"})
    )
    moment, rest = line.split(" ", 1)
    time.strptime(moment, "%Y-%m-%dT%H:%M:%S.%fZ")
    assert rest == 'warning node joined node=gpu calls=3 why="no reason"\n'


def test_json_has_the_same_as_an_object_a_line() -> None:
    line = logged(
        lambda log: log.info("节点 %s", "gpu", extra={"calls": 3, "parts": [1, None]}), as_json=True
    )
    found = json.loads(line)
    time.strptime(found.pop("time"), "%Y-%m-%dT%H:%M:%S.%fZ")
    assert found == {
        "level": "info",
        "logger": "easynet.fabric.gateway.gateway",
        "message": "节点 gpu",
        "calls": 3,
        "parts": [1, None],
    }


def test_level_decides_what_is_written() -> None:
    def write(log: logging.Logger) -> None:
        log.debug("small")
        log.error("large")

    assert "small" not in logged(write, "info")
    assert "small" in logged(write, "debug")
    assert "large" in logged(write, "error")


def test_unknown_level_is_refused_with_the_nearest() -> None:
    with pytest.raises(UsageError) as refused:
        configure("warn")
    assert "'warning'" in refused.value.hint


def test_second_configuration_replaces_the_first() -> None:
    first, second = io.StringIO(), io.StringIO()
    configure("info", stream=first)
    configure("info", stream=second)
    LOGGER.info("once")
    assert first.getvalue() == ""
    assert second.getvalue().count("once") == 1


def test_warnings_of_the_libraries_below_are_written_too() -> None:
    line = logged(lambda _: logging.getLogger("nats.aio").error("cannot reach nats://ana:pass@host"))
    assert "[redacted]@host" in line


@pytest.mark.parametrize("as_json", [False, True])
def test_error_is_one_line_with_its_traceback(as_json: bool) -> None:
    def write(log: logging.Logger) -> None:
        try:
            raise ValueError("two\nlines")
        except ValueError:
            log.exception("it broke")

    line = logged(write, as_json=as_json)
    assert len(line.splitlines()) == 1
    assert "ValueError: two" in line
    assert "test_logs.py" in line


@pytest.mark.parametrize("as_json", [False, True])
def test_fields_named_like_ours_do_not_pose_as_them(as_json: bool) -> None:
    line = logged(lambda log: log.info("real", extra={"level": "fake", "time": "fake"}), as_json=as_json)
    assert "level_" in line
    assert "time_" in line


@given(st.text(), st.text(), st.booleans())
def test_no_text_makes_a_second_line_or_steers_a_terminal(message: str, value: str, as_json: bool) -> None:
    line = logged(lambda log: log.info("%s", message, extra={"value": value}), as_json=as_json)
    assert line.endswith("\n")
    assert len(line.splitlines()) == 1
    assert line[:-1].isprintable() or not any(c in line for c in "\x1b\x07\x9b\u202e")
    line.encode()
    if as_json:
        assert json.loads(line)["message"] == message[:4000]


BASE32 = string.ascii_uppercase + "234567"
BASE64 = string.ascii_letters + string.digits + "-_"


def word(alphabet: str, least: int, most: int) -> st.SearchStrategy[str]:
    return st.text(alphabet, min_size=least, max_size=most)


SEEDS = st.builds(lambda kind, rest: f"S{kind}{rest}", st.sampled_from("UAONC"), word(BASE32, 56, 56))
JWTS = st.builds(lambda *parts: "eyJ" + ".".join(parts), *[word(BASE64, 8, 60)] * 3)
TOKENS = st.builds(lambda kind, rest: f"en{kind}1_{rest}", st.sampled_from("jc"), word(BASE64, 8, 60))
PASSWORDS = st.text(st.characters(exclude_categories=["Z", "C"]), min_size=4).map("pw-{}".format)
SECRETS = st.one_of(
    SEEDS.map(lambda s: (s, s)),
    JWTS.map(lambda s: (s, s)),
    TOKENS.map(lambda s: (s, s)),
    PASSWORDS.map(lambda s: (s, f"nats://ana:{s}@gateway:4222")),
    word(BASE64 + "\n", 20, 200).map(
        lambda s: (s, f"-----BEGIN PRIVATE KEY-----\n{s}\n-----END PRIVATE KEY-----")
    ),
)
AROUND = st.text(max_size=30) | st.sampled_from(["", "KEY", "seed_", "b'", '"', "a://b@", "SUA", "eyJ", "2"])


class Opaque:
    """An object that shows what it holds."""

    def __init__(self, held: str) -> None:
        self._held = held

    def __str__(self) -> str:
        return self._held


def in_error(log: logging.Logger, text: str) -> None:
    try:
        raise ValueError(text)
    except ValueError:
        log.exception("it broke")


PLACES: dict[str, Callable[[logging.Logger, str], None]] = {
    "message": lambda log, s: log.info(s),
    "argument": lambda log, s: log.info("got %s", s),
    "arguments that do not fit": lambda log, s: log.info(s, 1, 2),
    "value": lambda log, s: log.info("got", extra={"value": s}),
    "key": lambda log, s: log.info("got", extra={s: 1}),
    "deep value": lambda log, s: log.info("got", extra={"v": {"a": [({"b": {s: [s]}},)]}}),
    "very deep value": lambda log, s: log.info("got", extra={"v": [[[[[[[[s]]]]]]]]}),
    "bytes": lambda log, s: log.info("got", extra={"v": s.encode("utf-8", "replace")}),
    "bytes as argument": lambda log, s: log.info("got %s", s.encode("utf-8", "replace")),
    "object": lambda log, s: log.info("got", extra={"v": Opaque(s)}),
    "error": in_error,
}


@given(SECRETS, AROUND, AROUND, st.sampled_from(sorted(PLACES)), st.booleans())
def test_no_secret_is_written(
    secret: tuple[str, str], before: str, after: str, place: str, as_json: bool
) -> None:
    held, shown = secret
    assume(held not in before + after)
    line = logged(lambda log: PLACES[place](log, before + shown + after), as_json=as_json)
    assert line
    assert held not in line
    assert held.replace("\n", "\\n") not in line


def test_public_keys_and_plain_addresses_stay_legible() -> None:
    public = "UA" + "SUAB" * 13 + "QQ"
    assert len(public) == 56
    for text in (
        public,
        "nats://10.0.0.1:4222",
        "https://example.org/a?b=c",
        "ana@example.org",
        "SUPER",
        "eyJ",
    ):
        assert redacted(text) == text


def test_hidden_words_are_marked() -> None:
    assert redacted("join with enj1_abcdef now") == "join with [redacted] now"
    assert redacted("nats://ana:pa@ss@host:1/x") == "nats://[redacted]@host:1/x"


@pytest.mark.parametrize(
    "text",
    [
        "://" * 100_000,
        "SA" * 100_000,
        "eyJ" * 60_000,
        "-----BEGIN PRIVATE KEY-----" * 9_000,
        "enj1_" * 50_000,
    ],
)
def test_long_texts_are_searched_in_no_time(text: str) -> None:
    began = time.thread_time()
    redacted(text)
    assert time.thread_time() - began < 1


def test_long_text_is_cut() -> None:
    assert len(logged(lambda log: log.info("x" * 100_000, extra={"y": "y" * 100_000}))) < 9_000


def test_record_that_cannot_be_written_is_told_without_its_words() -> None:
    class Broken:
        def __str__(self) -> str:
            raise RuntimeError("enj1_secret")

    line = logged(lambda log: log.info("got", extra={"v": Broken()}))
    assert line == "a log record of easynet.fabric.gateway.gateway was lost: RuntimeError\n"


def test_closed_stream_is_no_error() -> None:
    stream = io.StringIO()
    configure("info", stream=stream)
    stream.close()
    LOGGER.info("nobody reads this")
