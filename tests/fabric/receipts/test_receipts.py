"""Receipts: what a node signs in a batch holds one by one, and nothing else does."""

import asyncio
import json
import platform
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Any

import msgpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from easynet._version import __version__
from easynet.core.capability import Capability
from easynet.core.errors import BadData, BadFrame, GatewayUnreachable, ReceiptInvalid
from easynet.core.ids import CapabilityName, NodeId
from easynet.core.receipt import Receipt, capability_digest, receipts_in
from easynet.fabric.access.identity import Identity
from easynet.fabric.receipts import receipt_signer as module
from easynet.fabric.receipts.merkle import leaf_hash
from easynet.fabric.receipts.receipt_batch import ReceiptBatch, leaf_text, signed_bytes
from easynet.fabric.receipts.receipt_signer import BATCH, MAX_MESSAGE_BYTES, ReceiptSigner
from easynet.fabric.receipts.stream_digest import StreamDigest
from easynet.fabric.receipts.verification import verify_receipt
from tests.patience import PATIENCE_S

GPU, STRANGER = Identity.generate(), Identity.generate()
KEY_OF = {"gpu": GPU.public}.get
DETECT = Capability(name=CapabilityName("detect"), description={"en": "Detects."}, price=3)
INBOX = "a-token-of-some-length"


class Post:
    """A connection that keeps what is sent, or is gone."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, bytes]] = []
        self.is_gone = False
        self.arrived = asyncio.Event()

    async def send(self, subject: str, data: bytes) -> None:
        if self.is_gone:
            raise GatewayUnreachable
        self.messages.append((subject, data))
        self.arrived.set()

    def receipts(self) -> list[Receipt]:
        return [r for _, data in self.messages for r in ReceiptBatch.decode(data).receipts(KEY_OF)]


def signer_to(post: Post, identity: Identity = GPU, node: str = "gpu") -> ReceiptSigner:
    return ReceiptSigner(identity, NodeId(node), post.send)


def add(signer: ReceiptSigner, call_id: str = "c1", **changes: Any) -> None:
    given: dict[str, Any] = {
        "client": "ana",
        "inbox": INBOX,
        "capability": DETECT,
        "key": "",
        "input": b"arguments",
        "output": b"result",
        "started_at": 1_800_000_000.0,
        "ended_at": 1_800_000_001.5,
        "price": 3,
    }
    signer.add(call_id=call_id, **(given | changes))


async def signed(calls: Sequence[dict[str, Any]], identity: Identity = GPU, node: str = "gpu") -> Post:
    post = Post()
    signer = signer_to(post, identity, node)
    for number, call in enumerate(calls):
        add(signer, **({"call_id": f"c{number}"} | call))
    await signer.close()
    return post


def batch_of(size: int) -> list[Receipt]:
    return asyncio.run(signed([{}] * size)).receipts()


async def test_receipt_says_what_was_done_by_whom_for_whom() -> None:
    (receipt,) = (await signed([{"call_id": "c7", "key": "k1"}])).receipts()
    verify_receipt(receipt, key=GPU.public)
    call, offer = receipt.facts.call, receipt.facts.offer
    assert (call.id, call.key, call.client, call.price, call.outcome) == ("c7", "k1", "ana", 3, "ok")
    assert (call.started_at, call.ended_at) == (1_800_000_000.0, 1_800_000_001.5)
    assert call.input == sha256(b"arguments").hexdigest()
    assert call.output == sha256(b"result").hexdigest()
    assert (offer.node, offer.node_key, offer.function) == ("gpu", GPU.public, "detect")
    assert offer.capability == capability_digest(DETECT)
    assert (offer.easynet, offer.python) == (__version__, platform.python_version())


@pytest.mark.parametrize("size", [1, 2, 3, 5, 64, BATCH, BATCH + 1, 2 * BATCH + 7])
async def test_every_receipt_of_a_batch_holds_on_its_own(size: int) -> None:
    found = (await signed([{}] * size)).receipts()
    assert [receipt.facts.call.id for receipt in found] == [f"c{number}" for number in range(size)]
    for receipt in found[:: max(1, size // 50)]:
        verify_receipt(Receipt.from_json(receipt.to_json()))
    assert len({receipt.signature for receipt in found}) == -(-size // BATCH)


async def test_clients_get_their_own_receipts_only() -> None:
    calls = [{"client": f"client{n % 3}", "inbox": f"{INBOX}-{n % 2}"} for n in range(60)]
    post = await signed(calls)
    assert len({subject for subject, _ in post.messages}) == 6
    for subject, data in post.messages:
        _, client, inbox, what = subject.split(".")
        found = ReceiptBatch.decode(data).receipts(KEY_OF)
        assert what == "receipts"
        assert {receipt.facts.call.client for receipt in found} == {client}
        own = [n for n, call in enumerate(calls) if (call["client"], call["inbox"]) == (client, inbox)]
        assert [receipt.facts.call.id for receipt in found] == [f"c{n}" for n in own]
        other = "client0" if client != "client0" else "client1"
        assert other.encode() not in data


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(*[st.text(max_size=12)] * 3, st.floats(0, 1e11)), min_size=1, max_size=9))
def test_any_text_can_be_signed(rows: list[tuple[str, str, str, float]]) -> None:
    calls = [{"call_id": a, "key": b, "outcome": c, "started_at": at, "ended_at": at} for a, b, c, at in rows]
    for receipt in asyncio.run(signed(calls)).receipts():
        verify_receipt(Receipt.from_json(receipt.to_json()))


async def test_names_in_any_script_are_signed() -> None:
    chinese = DETECT.model_copy(update={"name": "检测异常"})
    post = await signed([{"capability": chinese, "key": "\ud800 half a character"}], node="训练机")
    (receipt,) = ReceiptBatch.decode(post.messages[0][1]).receipts({"训练机": GPU.public}.get)
    verify_receipt(receipt)
    assert receipt.facts.offer.function == "检测异常"


async def test_equal_calls_have_equal_receipts_that_hold() -> None:
    found = (await signed([{"call_id": "same"}] * 5)).receipts()
    assert len(found) == 5
    assert len({receipt.facts for receipt in found}) == 1
    for receipt in found:
        verify_receipt(receipt)


async def test_function_that_is_offered_anew_is_stated_anew() -> None:
    dearer = DETECT.model_copy(update={"price": 9})
    found = (await signed([{}, {"capability": dearer}, {}])).receipts()
    digests = [receipt.facts.offer.capability for receipt in found]
    assert digests == [capability_digest(DETECT), capability_digest(dearer), capability_digest(DETECT)]


async def test_nothing_is_signed_or_sent_without_calls() -> None:
    post = Post()
    signer = signer_to(post)
    await signer.flush()
    await signer.close()
    assert post.messages == []


async def test_receipt_follows_by_itself_and_nothing_runs_on_after() -> None:
    post = Post()
    signer = signer_to(post)
    before = asyncio.all_tasks()
    add(signer)
    add(signer, "c2")
    assert len(asyncio.all_tasks() - before) == 1
    async with asyncio.timeout(PATIENCE_S):
        await post.arrived.wait()
        while asyncio.all_tasks() - before:
            await asyncio.wait(asyncio.all_tasks() - before)
    assert [receipt.facts.call.id for receipt in post.receipts()] == ["c1", "c2"]
    add(signer, "c3")  # a later one wakes it again
    assert len(asyncio.all_tasks() - before) == 1
    await signer.close()
    assert len(post.receipts()) == 3


async def test_flush_sends_at_once() -> None:
    post = Post()
    signer = signer_to(post)
    add(signer)
    await signer.flush()
    assert len(post.receipts()) == 1
    await signer.close()
    assert len(post.receipts()) == 1


async def test_flushes_at_the_same_time_sign_everything_once() -> None:
    post = Post()
    signer = signer_to(post)
    for number in range(3 * BATCH):
        add(signer, f"c{number}")
    await asyncio.gather(signer.flush(), signer.flush(), signer.close())
    assert sorted(r.facts.call.id for r in post.receipts()) == sorted(f"c{n}" for n in range(3 * BATCH))


async def test_receipts_wait_while_the_gateway_is_away() -> None:
    post = Post()
    post.is_gone = True
    signer = signer_to(post)
    add(signer)
    await signer.flush()
    assert post.messages == []
    add(signer, "c2")
    post.is_gone = False
    async with asyncio.timeout(PATIENCE_S):
        await post.arrived.wait()
    await signer.close()
    assert [receipt.facts.call.id for receipt in post.receipts()] == ["c1", "c2"]


async def test_receipts_that_nobody_takes_do_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MAX_UNSENT_BYTES", 5000)
    post = Post()
    post.is_gone = True
    signer = signer_to(post)
    for number in range(30):
        add(signer, f"c{number}")
        await signer.flush()
    post.is_gone = False
    await signer.close()
    assert 0 < sum(len(data) for _, data in post.messages) <= 5000
    assert post.receipts()[-1].facts.call.id == "c29"


async def test_values_are_not_held_beyond_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_HELD_BYTES", 100_000)
    signer = signer_to(Post())
    for number in range(50):
        add(signer, f"c{number}", input=bytes(7000), output=bytes(1000))
    held = [value for call in signer._pending for value in call if isinstance(value, bytes)]
    assert sum(map(len, held)) <= 100_000
    assert held
    await signer.close()
    assert signer._held_bytes == 0


async def test_long_value_is_hashed_at_once() -> None:
    post = Post()
    signer = signer_to(post)
    add(signer, input=bytes(1_000_000), output=b"")
    assert not any(isinstance(value, bytes) for value in signer._pending[0])
    await signer.close()
    assert post.receipts()[0].facts.call.input == sha256(bytes(1_000_000)).hexdigest()
    assert post.receipts()[0].facts.call.output == sha256().hexdigest()


async def test_digest_is_taken_as_it_is() -> None:
    (receipt,) = (await signed([{"output": "ab" * 32}])).receipts()
    assert receipt.facts.call.output == "ab" * 32


def test_digest_of_a_stream_tells_where_items_end() -> None:
    def digest(*items: bytes) -> str:
        stream = StreamDigest()
        for item in items:
            stream.add(item)
        return stream.hexdigest()

    assert len({digest(), digest(b""), digest(b"ab"), digest(b"a", b"b"), digest(b"", b"ab")}) == 5
    assert digest(b"a", b"b") == sha256(bytes(7) + b"\x01a" + bytes(7) + b"\x01b").hexdigest()


async def test_messages_are_split_below_the_limit() -> None:
    keys = [{"key": "\x00" * 256, "call_id": f"c{n}", "outcome": "o" * 1000} for n in range(BATCH)]
    post = await signed(keys)
    assert len(post.messages) > 1
    assert max(len(data) for _, data in post.messages) < 512 * 1024
    assert MAX_MESSAGE_BYTES < 512 * 1024
    found = post.receipts()
    assert len(found) == BATCH
    assert len({receipt.signature for receipt in found}) == 1
    verify_receipt(found[-1])


async def test_very_long_key_is_stated_by_its_digest() -> None:
    (receipt,) = (await signed([{"key": "k" * 900_000}])).receipts()
    assert receipt.facts.call.key == f"sha256:{sha256(b'k' * 900_000).hexdigest()}"


# ── forgeries ───────────────────────────────────────────────────────────────────────────────────

SEVEN = batch_of(7)
OTHER_BATCH = batch_of(6)
FILE = "".join(f"{receipt.to_json()}\n" for receipt in SEVEN[:2]).encode()


@settings(max_examples=400, deadline=None)
@given(st.integers(0, len(FILE) - 1), st.integers(1, 255))
def test_no_byte_of_a_file_can_be_changed(at: int, difference: int) -> None:
    assert refused(FILE[:at] + bytes([FILE[at] ^ difference]) + FILE[at + 1 :])


def test_no_bit_of_a_file_can_be_flipped() -> None:
    line = FILE[: FILE.index(b"\n") + 1]
    for at in range(len(line)):
        flipped = line[at] ^ (1 << at % 8), line[at] ^ 0x20  # a bit, and the case of a letter
        for byte in flipped:
            assert refused(line[:at] + bytes([byte]) + line[at + 1 :]), at


@settings(max_examples=200, deadline=None)
@given(st.integers(0, len(FILE)), st.binary(min_size=1, max_size=3))
def test_nothing_can_be_put_into_a_file(at: int, more: bytes) -> None:
    assert refused(FILE[:at] + more + FILE[at:])


@settings(max_examples=200, deadline=None)
@given(st.integers(0, len(FILE) - 2), st.integers(1, 5))
def test_nothing_can_be_taken_out_of_a_line(at: int, count: int) -> None:
    line = FILE[: FILE.index(b"\n")]
    at = min(at, len(line) - 1)
    assert refused(line[:at] + line[at + count :])


def refused(data: bytes) -> bool:
    try:
        for receipt in receipts_in(data):
            verify_receipt(receipt)
    except (BadData, ReceiptInvalid):
        return True
    return False


def test_files_that_these_tests_change_are_good() -> None:
    assert not refused(FILE)


def changed(receipt: Receipt, part: str, **changes: object) -> Receipt:
    plain = json.loads(receipt.to_json())
    plain["facts"][part] |= changes
    return Receipt.model_validate_json(json.dumps(plain))


FORGERIES: dict[str, Callable[[], Receipt]] = {
    "a wider claim": lambda: changed(SEVEN[0], "call", price=3000),
    "another outcome": lambda: changed(SEVEN[0], "call", outcome="call_timeout"),
    "another client": lambda: changed(SEVEN[0], "call", client="bob"),
    "another node": lambda: changed(SEVEN[0], "offer", node="cpu"),
    "another key": lambda: changed(SEVEN[0], "offer", node_key=STRANGER.public),
    "a key that is none": lambda: changed(SEVEN[0], "offer", node_key="U" * 56),
    "the root of another batch": lambda: SEVEN[0].model_copy(update={"signature": OTHER_BATCH[0].signature}),
    "the path of another batch": lambda: SEVEN[0].model_copy(update={"path": OTHER_BATCH[0].path}),
    "the path of another leaf": lambda: SEVEN[0].model_copy(update={"path": SEVEN[1].path}),
    "the facts of another leaf": lambda: SEVEN[0].model_copy(update={"facts": SEVEN[1].facts}),
    "no path": lambda: SEVEN[0].model_copy(update={"path": ()}),
    "a shorter path": lambda: SEVEN[0].model_copy(update={"path": SEVEN[0].path[1:]}),
    "a longer path": lambda: SEVEN[0].model_copy(update={"path": (*SEVEN[0].path, ("left", "00" * 32))}),
    "a path with sides swapped": lambda: SEVEN[0].model_copy(
        update={"path": (("left", SEVEN[0].path[0][1]), *SEVEN[0].path[1:])}
    ),
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_forgery_is_refused(forgery: str) -> None:
    with pytest.raises(ReceiptInvalid):
        verify_receipt(FORGERIES[forgery]())


def test_receipt_of_another_key_is_told_from_one_that_was_changed() -> None:
    verify_receipt(SEVEN[0], key=GPU.public)
    with pytest.raises(ReceiptInvalid, match="another key"):
        verify_receipt(SEVEN[0], key=STRANGER.public)


def test_text_that_a_gateway_has_signed_is_never_a_root() -> None:
    # The server of a gateway chooses a text that each device signs to prove who it is.
    with pytest.raises(UnicodeDecodeError):
        signed_bytes(leaf_hash(b"")).decode()


# ── messages ────────────────────────────────────────────────────────────────────────────────────


def frames() -> Iterator[tuple[str, bytes]]:
    """Messages that a client must not believe, by what is wrong with them."""
    good = asyncio.run(signed([{}] * 4)).messages[0][1]
    frame = msgpack.unpackb(good)
    names = ["version", "signature", "size", "first", "neighbours", "offers", "at", "calls"]
    _, _, size, _, _, offers, at, calls = frame

    def but(**changes: object) -> bytes:
        return bytes(msgpack.packb(list((dict(zip(names, frame, strict=True)) | changes).values())) or b"")

    yield "not msgpack", b"\xc1"
    yield "nothing", b""
    yield "a truncated one", good[:-1]
    yield "deeply nested", b"\x91" * 5000
    yield "another version", but(version=2)
    yield "a version that is no number", but(version=[])
    yield "a version that is true", but(version=True)
    yield "a position that is false", but(first=False)
    yield "another form", but(more=1)
    yield "no calls", but(at=[], calls=[])
    yield "leaves swapped", but(calls=calls[::-1])
    yield "a leaf left out", but(at=at[1:], calls=calls[1:])
    yield "a leaf twice", but(at=[0, *at], calls=[calls[0], *calls])
    yield "an offer out of range", but(at=[1, *at[1:]])
    yield "an offer below zero", but(at=[-1, *at[1:]])
    yield "a position below zero", but(first=-1)
    yield "a tree too large", but(size=2**63)
    yield "a tree too small", but(size=size - 1)
    yield "a neighbour too many", but(neighbours=[bytes(32)])
    yield "no signature", but(signature=b"")
    yield "another signature", but(signature=GPU.sign(b"x"))
    yield "a text for a call", but(calls=["{}"] * 4)
    yield "an empty call", but(calls=[b"{}"] * 4)
    yield "no offer", but(offers=[b"{}"])
    yield "a long offer", but(offers=[b" " * 70_000 + offers[0]])
    yield "more offers than calls", but(offers=offers * 9)


@pytest.mark.parametrize(("wrong", "data"), [pytest.param(*frame, id=frame[0]) for frame in frames()])
def test_message_that_does_not_hold_is_refused(wrong: str, data: bytes) -> None:
    with pytest.raises((BadFrame, ReceiptInvalid)):
        ReceiptBatch.decode(data).receipts(KEY_OF)


MESSAGE = asyncio.run(signed([{}] * 3)).messages[0][1]


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(MESSAGE) - 1), st.integers(1, 255))
def test_no_byte_of_a_message_can_be_changed(at: int, difference: int) -> None:
    data = MESSAGE[:at] + bytes([MESSAGE[at] ^ difference]) + MESSAGE[at + 1 :]
    with pytest.raises((BadFrame, ReceiptInvalid)):
        ReceiptBatch.decode(data).receipts(KEY_OF)


_PLAIN = st.recursive(st.none() | st.integers(-5, 5) | st.binary() | st.text(), st.lists)


@given(st.binary(max_size=200) | _PLAIN.map(msgpack.packb))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    with pytest.raises((BadFrame, ReceiptInvalid)):
        ReceiptBatch.decode(data).receipts(KEY_OF)


@pytest.mark.parametrize("key_of", [{}.get, {"gpu": STRANGER.public}.get])
async def test_receipt_of_a_node_with_another_key_or_none_is_not_believed(
    key_of: Callable[[str], str | None],
) -> None:
    post = await signed([{}])
    with pytest.raises(ReceiptInvalid, match="gpu"):
        ReceiptBatch.decode(post.messages[0][1]).receipts(key_of)


async def test_stranger_cannot_sign_in_a_node_s_name() -> None:
    post = await signed([{}], STRANGER, "gpu")
    with pytest.raises(ReceiptInvalid, match="not of that node's key"):
        ReceiptBatch.decode(post.messages[0][1]).receipts(KEY_OF)


@pytest.mark.parametrize(
    ("was", "becomes"), [(b'"price":3', b'"price":3.0'), (b",", b", "), (b"arguments", b"\\u0061rguments")]
)
async def test_node_that_signs_another_form_of_text_is_not_believed(was: bytes, becomes: bytes) -> None:
    # Such a receipt could not be saved: its file would be refused.
    (data,) = [data for _, data in (await signed([{"key": "arguments"}])).messages]
    batch = ReceiptBatch.decode(data)
    assert was in batch.calls[0]
    call = batch.calls[0].replace(was, becomes)
    root = leaf_hash(leaf_text(call, batch.offers[0]))
    forged = replace(batch, calls=[call], signature=GPU.sign(signed_bytes(root)))
    with pytest.raises(ReceiptInvalid, match="one form"):
        ReceiptBatch.decode(forged.encode()).receipts(KEY_OF)


async def test_facts_that_have_no_text_give_no_receipt() -> None:
    post = Post()
    signer = signer_to(post)
    add(signer, price=True)  # written as True, which is not JSON
    add(signer, "c2", started_at=float("nan"))
    await signer.close()
    with pytest.raises((BadFrame, ReceiptInvalid)):
        post.receipts()


async def test_receipt_is_stated_again_to_whoever_asks_after_the_call_later() -> None:
    post = Post()
    signer = signer_to(post)
    add(signer, "c1", key="job")
    signer.state_again("c1", "ana", "another-inbox", "c2")
    signer.state_again("c0", "ana", "another-inbox", "c3")
    await signer.flush()
    signer.state_again("c2", "ana", "a-third-inbox", "c4")
    await signer.close()
    assert [subject for subject, _ in post.messages] == [
        f"re.ana.{inbox}.receipts" for inbox in (INBOX, "another-inbox", "a-third-inbox")
    ]
    first, *others = post.receipts()
    for receipt, id_ in zip(others, ("c2", "c4"), strict=True):
        verify_receipt(receipt)
        assert receipt.facts.offer == first.facts.offer
        assert receipt.facts.call == first.facts.call.model_copy(update={"id": id_})
