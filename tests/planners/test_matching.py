"""Words of a catalogue, and chains that fit a request."""

from easynet.planners.composing import Composer, Scored, agreed
from easynet.planners.deeds import STAGES, stage
from easynet.planners.grams import letter_grams, word_grams, words
from easynet.planners.matching import Matcher
from tests.planners.experience_world import TOOLS, tool

NAMES: list[str] = [c.name for c in TOOLS]


def best(text: str) -> str:
    matcher = Matcher(TOOLS)
    scores = matcher.match(text).scores
    return matcher.names[max(range(len(scores)), key=scores.__getitem__)]


def test_all_numbers_are_alike() -> None:
    assert words("room 12, ID 123456789") == ["room", "0", "id", "0"]
    assert words("room 345, ID 98") == words("room 12, ID 123456789")


def test_chinese_characters_are_words_and_their_pairs_are_seen() -> None:
    assert words("订火车票 now") == ["订", "火", "车", "票", "now"]
    assert word_grams(words("火车"))["火 车"] == 1


def test_letter_groups_do_not_cross_words() -> None:
    grams = letter_grams(["ab", "cd"])
    assert " ab" in grams
    assert not any("b c" in g for g in grams)


def test_a_capability_is_found_by_its_words_and_by_other_forms_of_them() -> None:
    assert best("hotels where one can stay, search them") == "search_hotel"
    assert best("emailing my mother") == "send_mail"


def test_chinese_requests_meet_english_descriptions_in_what_is_done() -> None:
    matcher = Matcher((tool("cancel_it", "Cancel something"), tool("pay_it", "Pay something")))
    scores = matcher.match("取消").scores
    assert scores[0] > scores[1]


def test_a_catalogue_of_one_or_none_is_matched() -> None:
    assert Matcher(()).match("anything").scores == ()
    assert len(Matcher(TOOLS[:1]).match("train").scores) == 1


def test_looking_up_comes_before_making_and_telling_comes_last() -> None:
    assert stage(["search", "hotel"], []) < stage(["book", "hotel"], []) < stage(["send", "mail"], [])
    assert stage(["thing"], [], "取消订单") == STAGES["cancel"]


def test_a_chain_follows_links_that_were_seen() -> None:
    matcher = Matcher(TOOLS)
    match = matcher.match("search hotels in Rome, reserve a room, and send an email")
    i: dict[str, int] = {n: k for k, n in enumerate(NAMES)}
    links = {(i["search_hotel"], i["book_hotel"]), (i["book_hotel"], i["send_mail"])}
    found = agreed(Composer(matcher, match, links).best())[0]
    assert [NAMES[k] for k in found.steps] == ["search_hotel", "book_hotel", "send_mail"]


def test_what_agrees_with_many_good_chains_is_preferred_to_a_lone_one() -> None:
    found = [Scored((9, 8), 1.0), Scored((1, 2), 0.95), Scored((1, 2, 3), 0.95), Scored((0, 1, 2), 0.95)]
    assert agreed(found)[0].steps[-2:] == (1, 2) or 1 in agreed(found)[0].steps
    assert agreed([]) == []
