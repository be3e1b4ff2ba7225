"""The fabric's benchmarks run, in small."""

import pytest

from benchmarks.fabric import calls, flood, idle, scale, transfer

pytestmark = pytest.mark.slow


async def test_calls_are_measured_beside_raw_nats() -> None:
    ways = await calls.measured(rounds=1, calls=20, calls_in_flight={4: 20})
    assert [way.name for way in ways][:2] == ["raw NATS", "async function"]
    assert all(way.p50_s[0] > 0 for way in ways)
    assert [4 in way.rates for way in ways] == [True, True, True, False]


async def test_large_values_come_back_from_another_machine() -> None:
    assert all(took[0] > 0 for took in await transfer.measured(rounds=1, size_bytes=1_000_000))


async def test_crowds_are_found_and_answered(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(idle, "SETTLE_S", 0.0)
    await scale.measure(count=4, lookups=4, newcomers=1)
    await idle.measure(count=4, few=2, calls=20)
    printed = capsys.readouterr().out
    assert "gateway and NATS server, resident memory" in printed
    assert "4 idle clients then get an answer" in printed


async def test_good_calls_are_measured_beside_bad_messages(capsys: pytest.CaptureFixture[str]) -> None:
    await flood.measure(rate=100, sent=200, seconds=1, calls=20)
    assert "good calls meanwhile" in capsys.readouterr().out
