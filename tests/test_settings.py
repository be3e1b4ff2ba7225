"""The settings: the data directory, as many processes find it at the same time, and whom the user trusts."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from easynet.core.errors import SettingsError
from easynet.fabric.client import AsyncClient
from easynet.settings import Settings


def test_data_directory_is_usable_by_many_at_once(own_data_dir: Path) -> None:
    settings = Settings()
    with ThreadPoolExecutor(16) as threads:
        found = [*threads.map(lambda _: settings.usable_data_dir(), range(400))]
    assert set(found) == {own_data_dir}
    assert not [*own_data_dir.iterdir()]


def test_trusted_nodes_are_listed_with_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Settings().trusted_nodes == ()
    monkeypatch.setenv("EASYNET_TRUSTED_NODES", "lab-gpu, uni:abc,")
    assert Settings().trusted_nodes == ("lab-gpu", "uni:abc")


def test_trusted_nodes_have_names(own_data_dir: Path) -> None:
    with pytest.raises(SettingsError, match="'a b'"):
        AsyncClient("127.0.0.1:1", trusted_nodes=["lab", "a b"])
