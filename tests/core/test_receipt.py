"""The text of a receipt: one form for each, and every other one refused."""

import json
from collections.abc import Callable
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from easynet.core.capability import Capability, Parameter, TypeRef
from easynet.core.errors import BadData, ReceiptInvalid
from easynet.core.ids import CapabilityName, NodeId
from easynet.core.receipt import (
    CallFacts,
    Facts,
    OfferFacts,
    Receipt,
    capability_digest,
    check_content,
    receipts_in,
)

_TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
_DIGESTS = st.binary(min_size=32, max_size=32).map(bytes.hex)
_TIMES = st.floats(0, 1e11)

RECEIPTS = st.builds(
    Receipt,
    facts=st.builds(
        Facts,
        call=st.builds(
            CallFacts,
            client=_TEXTS,
            ended_at=_TIMES,
            id=_TEXTS,
            input=_DIGESTS,
            key=_TEXTS,
            outcome=_TEXTS,
            output=_DIGESTS,
            price=st.integers(0, 10**12),
            started_at=_TIMES,
        ),
        offer=st.builds(
            OfferFacts,
            capability=_DIGESTS,
            easynet=_TEXTS,
            function=_TEXTS.map(CapabilityName),
            node=_TEXTS.map(NodeId),
            node_key=_TEXTS,
            python=_TEXTS,
        ),
    ),
    path=st.lists(st.tuples(st.sampled_from(["left", "right"]), _DIGESTS), max_size=5).map(tuple),
    signature=st.binary(min_size=64, max_size=64).map(bytes.hex),
)


def receipt(call_id: str = "c1", node: str = "gpu") -> Receipt:
    return Receipt(
        facts=Facts(
            call=CallFacts(
                client="ana",
                ended_at=1_800_000_001.5,
                id=call_id,
                input="0a" * 32,
                key="",
                outcome="ok",
                output="0b" * 32,
                price=3,
                started_at=1_800_000_000.0,
            ),
            offer=OfferFacts(
                capability="0c" * 32,
                easynet="1.0",
                function=CapabilityName("detect"),
                node=NodeId(node),
                node_key="UKEY",
                python="3.12.1",
            ),
        ),
        path=(("left", "0d" * 32),),
        signature="0e" * 64,
    )


@given(RECEIPTS)
def test_receipt_survives_its_text(original: Receipt) -> None:
    assert Receipt.from_json(original.to_json()) == original


def test_text_is_one_line_that_a_person_can_read() -> None:
    text = receipt(node="训练机").to_json()
    assert text.startswith('{"facts":{"call":{"client":"ana","ended_at":1800000001.5,"id":"c1",')
    assert '"node":"训练机"' in text
    assert "\n" not in text


def test_facts_are_signed_as_they_stand_in_the_file() -> None:
    whole = receipt()
    assert f'{{"facts":{whole.facts.to_json()},"path":' in whole.to_json()


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace('"price":3', '"price":3.0'),
        lambda text: text.replace('"price":3', '"price":"3"'),
        lambda text: text.replace('"price":3', '"price":4,"price":3'),
        lambda text: text.replace(",", ", "),
        lambda text: text + " ",
        lambda text: text + "\r",
        lambda text: text.replace("gpu", "g\\u0070u"),
        lambda text: text.replace("1800000000.0", "1800000000"),
        lambda text: text.replace("1800000000.0", "1.8e9"),
        lambda text: json.dumps(dict(reversed(json.loads(text).items())), separators=(",", ":")),
        lambda text: json.dumps(json.loads(text), indent=2),
    ],
)
def test_same_content_in_another_form_is_refused(change: Callable[[str], str]) -> None:
    text = receipt().to_json()
    changed = change(text)
    assert changed != text
    with pytest.raises(ReceiptInvalid, match="was changed"):
        Receipt.from_json(changed)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "Invalid JSON"),
        ("hello", "Invalid JSON"),
        ("[" * 100_000, "Invalid JSON"),
        ("{}", "facts"),
        ("7", "an object"),
        (receipt().to_json().replace('"version":1', '"version":2'), "version"),
        (receipt().to_json().replace('"version":1', '"paid":true,"version":1'), "paid"),
        (receipt().to_json().replace("0a" * 32, "0A" * 32), "input"),
        (receipt().to_json().replace("0e" * 64, "0e" * 63), "signature"),
        (receipt().to_json().replace('"left"', '"above"'), "path"),
        (receipt().to_json().replace('"price":3', '"price":-3'), "price"),
        (receipt().to_json().replace('"price":3', '"price":' + "9" * 50), "price"),
        (receipt().to_json().replace("1800000000.0", "NaN"), "started_at"),
        (receipt().to_json().replace('"gpu"', '"\\ud800"'), "Invalid JSON"),
    ],
)
def test_what_is_no_receipt_is_refused_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(BadData, match=reason):
        Receipt.from_json(text)


def test_name_in_a_stranger_s_file_cannot_steer_the_terminal() -> None:
    with pytest.raises(BadData) as caught:
        Receipt.from_json(receipt().to_json().replace('"version":1', '"v\\u001b[2J":2,"version":1'))
    assert "\x1b" not in caught.value.message


def test_file_holds_one_receipt_a_line() -> None:
    lines = [receipt(f"c{n}\u2028") for n in range(3)]
    text = "\n".join(line.to_json() for line in lines)
    assert receipts_in(text.encode()) == lines
    assert receipts_in(f"{text}\n".encode()) == lines


@pytest.mark.parametrize("data", [b"", b"\n", b"\xff\xfe", b"\n\n", b"\xef\xbb\xbf{}"])
def test_file_without_receipts_is_refused(data: bytes) -> None:
    with pytest.raises(BadData):
        receipts_in(data)


def test_bad_line_of_a_file_is_named() -> None:
    good = receipt().to_json()
    with pytest.raises(BadData, match=r"^line 2: "):
        receipts_in(f"{good}\n{{}}\n{good}\n".encode())
    with pytest.raises(ReceiptInvalid, match=r"^line 2: "):
        receipts_in(f"{good}\n {good}\n".encode())
    with pytest.raises(BadData, match=r"^line 2: "):
        receipts_in(f"{good}\n\n".encode())


def test_capability_s_digest_tells_offers_apart() -> None:
    def offered(**changes: object) -> Capability:
        return Capability.model_validate({"name": "f", "description": {"en": "Does."}, **changes})

    a = Parameter(name="a", type=TypeRef(name="int"))
    variants = [
        offered(),
        offered(price=2),
        offered(description={"en": "Does not."}),
        offered(parameters=(a,)),
        offered(parameters=(a.model_copy(update={"required": False, "default": {"b": 1, "a": [1.5]}}),)),
        offered(idempotent=False),
    ]
    assert len({capability_digest(variant) for variant in variants}) == len(variants)
    assert capability_digest(offered(price=1)) == capability_digest(offered())


def test_content_is_compared_with_its_digest() -> None:
    check_content("input", sha256(b"x").hexdigest(), b"x")
    with pytest.raises(ReceiptInvalid, match="output"):
        check_content("output", sha256(b"x").hexdigest(), b"y")
