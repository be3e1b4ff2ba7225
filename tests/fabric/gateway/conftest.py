"""A network of three gateways."""

from collections.abc import Iterator

import pytest

from tests.fabric.gateway.trio import Trio


@pytest.fixture(scope="module")
def trio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trio]:
    gateways = Trio(tmp_path_factory.mktemp("trio"))
    try:
        gateways.start_all()
        yield gateways
    finally:
        for i in range(3):
            gateways.end(i)
