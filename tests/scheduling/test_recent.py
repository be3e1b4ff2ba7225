from easynet.scheduling.recent import Recent


def test_what_is_missing_is_made_when_it_is_renewed() -> None:
    recent: Recent[str, list[int]] = Recent(3, list)
    recent.renew("a").append(1)
    recent.renew("a").append(2)
    assert recent == {"a": [1, 2]}
    assert "b" not in recent
    assert recent.get("b") is None


def test_what_was_not_renewed_for_longest_is_forgotten() -> None:
    recent: Recent[str, list[int]] = Recent(3, list)
    for key in ("a", "b", "c", "a", "d"):
        recent.renew(key)
    assert [*recent] == ["c", "a", "d"]
