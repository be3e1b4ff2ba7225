from easynet.core.intent import Privacy
from easynet.core.offer import Trust
from easynet.scheduling.candidates import eligible
from easynet.testing.graphs import offer

OWN = offer("mine").model_copy(update={"trust": Trust.OWN})
TRUSTED = offer("theirs").model_copy(update={"trust": Trust.TRUSTED})
OTHERS = [offer("x"), offer("y")]


def test_public_data_keeps_all_offers_in_order() -> None:
    found = eligible([*OTHERS, OWN], Privacy.NORMAL)
    assert found.offers == (*OTHERS, OWN)
    assert found.reason == ""


def test_private_data_keeps_own_and_trusted_nodes_only() -> None:
    found = eligible([*OTHERS, TRUSTED, OWN], Privacy.HIGH)
    assert found.offers == (TRUSTED, OWN)
    assert found.reason == ""


def test_private_data_says_why_nothing_is_left() -> None:
    found = eligible(OTHERS, Privacy.HIGH)
    assert found.offers == ()
    assert "your own nodes and those you trust only" in found.reason
    assert "x, y" in found.reason


def test_nothing_offered_is_a_reason_of_its_own() -> None:
    found = eligible([], Privacy.NORMAL)
    assert found.offers == ()
    assert found.reason == "No node offers it."
