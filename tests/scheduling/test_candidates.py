from easynet.core.intent import Privacy, Requirements
from easynet.core.offer import Trust
from easynet.scheduling.candidates import eligible
from easynet.testing.graphs import offer

OWN = offer("mine").model_copy(update={"trust": Trust.OWN})
OTHERS = [offer("x"), offer("y")]


def test_normal_privacy_keeps_all_offers_in_order() -> None:
    found = eligible([*OTHERS, OWN], Requirements())
    assert found.offers == (*OTHERS, OWN)
    assert found.reason == ""


def test_high_privacy_keeps_own_nodes_only() -> None:
    found = eligible([*OTHERS, OWN], Requirements(privacy=Privacy.HIGH))
    assert found.offers == (OWN,)
    assert found.reason == ""


def test_high_privacy_says_why_nothing_is_left() -> None:
    found = eligible(OTHERS, Requirements(privacy=Privacy.HIGH))
    assert found.offers == ()
    assert "your own nodes only" in found.reason
    assert "x, y" in found.reason


def test_nothing_offered_is_a_reason_of_its_own() -> None:
    found = eligible([], Requirements())
    assert found.offers == ()
    assert found.reason == "No node offers it."
