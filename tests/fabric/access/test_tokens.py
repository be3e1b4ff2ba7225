"""A token that did not arrive as it was written is recognised before anybody is asked."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from easynet.core.errors import TokenRejected
from easynet.fabric.access import tokens
from easynet.fabric.access.invitations import Invitation

TOKEN = Invitation(("gateway.example:4222",), "9b6fe8d6", bytes(range(16)), bytes(range(32))).token()
ALPHABET = string.ascii_letters + string.digits + "-_"


def test_a_token_may_be_wrapped() -> None:
    wrapped = f"  {TOKEN[:20]}\n{TOKEN[20:]} \n"
    assert Invitation.parse(wrapped) == Invitation.parse(TOKEN)


@pytest.mark.parametrize("at", range(len(TOKEN)))
def test_a_lost_character_is_noticed(at: int) -> None:
    with pytest.raises(TokenRejected) as caught:
        Invitation.parse(TOKEN[:at] + TOKEN[at + 1 :])
    assert "whole" in caught.value.hint


@given(st.integers(5, len(TOKEN) - 2), st.sampled_from(ALPHABET))
def test_a_wrong_character_is_noticed(at: int, character: str) -> None:
    changed = TOKEN[:at] + character + TOKEN[at + 1 :]
    if changed != TOKEN:
        with pytest.raises(TokenRejected, match="damaged"):
            Invitation.parse(changed)


@given(st.integers(5, len(TOKEN) - 1), st.integers(5, len(TOKEN) - 1))
def test_swapped_characters_are_noticed(one: int, other: int) -> None:
    letters = list(TOKEN)
    letters[one], letters[other] = letters[other], letters[one]
    if letters[:-1] != list(TOKEN)[:-1]:
        with pytest.raises(TokenRejected, match="damaged"):
            Invitation.parse("".join(letters))


def test_a_token_of_another_kind_is_none() -> None:
    with pytest.raises(TokenRejected, match="not a token"):
        tokens.read("eng1_", TOKEN)
    with pytest.raises(TokenRejected, match="damaged"):
        tokens.read("eng1_", TOKEN.replace("enj1_", "eng1_"))
    with pytest.raises(TokenRejected, match="what an invitation has to say"):
        Invitation.parse(tokens.written("enj1_", [["a"], 3]))
