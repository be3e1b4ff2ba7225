"""The client's receipts: cheap to take, checked when asked for, never more than fit."""

import asyncio

import pytest

from easynet.core.capability import Capability
from easynet.core.errors import CallTimeout, ReceiptInvalid
from easynet.core.ids import CapabilityName, NodeId
from easynet.fabric.access.identity import Identity
from easynet.fabric.receipts import receipt_book
from easynet.fabric.receipts.receipt_book import ReceiptBook
from easynet.fabric.receipts.receipt_signer import ReceiptSigner
from easynet.fabric.receipts.verification import verify_receipt

GPU, STRANGER = Identity.generate(), Identity.generate()
DETECT = Capability(name=CapabilityName("detect"), description={"en": "Detects."})


async def messages(*ids: str, identity: Identity = GPU) -> list[bytes]:
    sent: list[bytes] = []

    async def send(subject: str, data: bytes) -> None:
        sent.append(data)

    signer = ReceiptSigner(identity, NodeId("gpu"), send)
    for id_ in ids:
        signer.add("ana", "inbox", DETECT, id_, "", b"a", b"r", 1.0, 2.0, 1)
    await signer.close()
    return sent


def book_with(*taken: bytes) -> ReceiptBook:
    book = ReceiptBook({"gpu": GPU.public}.get)
    for message in taken:
        book.take(message)
    return book


async def test_receipt_that_is_there_is_given_at_once() -> None:
    book = book_with(*await messages("c1", "c2"), *await messages("c3"))
    for id_ in ("c1", "c2", "c3"):
        receipt = await book.receipt(id_, timeout_s=0)
        assert receipt.facts.call.id == id_
        verify_receipt(receipt)


@pytest.mark.parametrize("id_", ["训练", 'quo"te\\', "\n", "", "c.1"])
async def test_id_in_any_script_is_found(id_: str) -> None:
    book = book_with(*await messages("c1", id_))
    assert (await book.receipt(id_, timeout_s=0)).facts.call.id == id_


async def test_receipt_that_comes_later_is_waited_for() -> None:
    book = book_with()
    waiting = [asyncio.create_task(book.receipt(id_, timeout_s=5)) for id_ in ("c1", "c2", "c2")]
    await asyncio.sleep(0)
    for id_ in ("c1", "other", "c2"):
        for message in await messages(id_):
            book.take(message)
    assert [receipt.facts.call.id for receipt in await asyncio.gather(*waiting)] == ["c1", "c2", "c2"]


async def test_receipt_that_never_comes_is_said() -> None:
    book = book_with(*await messages("c1"))
    with pytest.raises(CallTimeout, match="c2"):
        await book.receipt("c2", timeout_s=0.01)


async def test_receipt_that_does_not_hold_is_said_with_the_reason() -> None:
    book = book_with(*await messages("c1", identity=STRANGER))
    with pytest.raises(ReceiptInvalid, match="not of that node's key"):
        await book.receipt("c1", timeout_s=0.01)


async def test_forged_receipt_does_not_hide_the_real_one() -> None:
    forged, real = await messages("c1", identity=STRANGER), await messages("c1")
    for order in ([*forged, *real], [*real, *forged]):
        assert (await book_with(*order).receipt("c1", timeout_s=0)).facts.offer.node_key == GPU.public
    book = book_with(*forged)
    waiting = asyncio.create_task(book.receipt("c1", timeout_s=5))
    await asyncio.sleep(0)
    book.take(real[0])
    assert (await waiting).facts.offer.node_key == GPU.public


async def test_node_whose_key_becomes_known_later_is_believed_then() -> None:
    key_by_node: dict[str, str] = {}
    book = ReceiptBook(key_by_node.get)
    book.take((await messages("c1"))[0])
    with pytest.raises(ReceiptInvalid):
        await book.receipt("c1", timeout_s=0.01)
    key_by_node["gpu"] = GPU.public
    assert (await book.receipt("c1", timeout_s=0.01)).facts.call.id == "c1"


async def test_all_are_given_in_order_and_once_without_any_that_does_not_hold() -> None:
    first, second = await messages("c1", "c2"), await messages("c3")
    bad = await messages("c4", identity=STRANGER)
    book = book_with(*first, b"", *bad, *second, *first, b"\xc1")
    assert [receipt.facts.call.id for receipt in book.all()] == ["c1", "c2", "c3"]


async def test_oldest_give_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receipt_book, "MAX_RECEIPTS", 3)
    book = book_with(*await messages("c1", "c2"), *await messages("c3"), *await messages("c4"))
    assert [receipt.facts.call.id for receipt in book.all()] == ["c2", "c3", "c4"]
    for id_ in ("c5", "c6"):
        book.take((await messages(id_))[0])
    with pytest.raises(CallTimeout):
        await book.receipt("c2", timeout_s=0)


async def test_flood_of_long_messages_does_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receipt_book, "_MAX_BYTES", 10_000)
    book = book_with(*[bytes(3000)] * 20, *await messages("c1"))
    assert sum(len(message.data) for message in book._messages) <= 10_000
    assert [receipt.facts.call.id for receipt in book.all()] == ["c1"]


async def test_waiting_that_is_given_up_leaves_nothing() -> None:
    book = book_with()
    waiting = asyncio.create_task(book.receipt("c1", timeout_s=5))
    await asyncio.sleep(0)
    assert book._arrivals
    waiting.cancel()
    await asyncio.wait([waiting])
    assert not book._arrivals
    book.take(b"")
