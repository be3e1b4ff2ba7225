"""The data directory, as many processes find it at the same time."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from easynet.settings import Settings


def test_data_directory_is_usable_by_many_at_once(own_data_dir: Path) -> None:
    settings = Settings()
    with ThreadPoolExecutor(16) as threads:
        found = [*threads.map(lambda _: settings.usable_data_dir(), range(400))]
    assert set(found) == {own_data_dir}
    assert not [*own_data_dir.iterdir()]
