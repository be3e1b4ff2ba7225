"""The file that makes a gateway one of a network."""

import json
import stat
from pathlib import Path

import pytest

from easynet.core.errors import SettingsError, UsageError
from easynet.fabric.access.authority import Authority
from easynet.fabric.access.certificates import certificates_in
from easynet.fabric.gateway.cluster import read_cluster
from easynet.fabric.gateway.network_file import (
    export_network,
    import_network,
    known_gateways,
    remember_gateways,
)
from easynet.fabric.wire.address import Address


@pytest.fixture
def first(tmp_path: Path) -> Path:
    folder = tmp_path / "first"
    Authority.kept_in(folder)
    remember_gateways(folder, ["10.0.0.1:4222"])
    return folder


def test_imported_keys_are_those_of_the_network(first: Path, tmp_path: Path) -> None:
    file, second = tmp_path / "network.json", tmp_path / "second"
    export_network(first, file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    import_network(file, second)
    assert Authority.kept_in(second).seeds() == Authority.kept_in(first).seeds()
    ours, theirs = certificates_in(second / "tls"), certificates_in(first / "tls")
    assert ours.ca.read_text() == theirs.ca.read_text()
    assert ours.certificate.read_text() != theirs.certificate.read_text()
    assert known_gateways(second) == ("nats://10.0.0.1:4222",)
    for path in (second / "authority.json", second / "tls" / "ca.key"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_keys_are_imported_once_and_never_over_those_of_another_network(first: Path, tmp_path: Path) -> None:
    file, second = tmp_path / "network.json", tmp_path / "second"
    export_network(first, file)
    import_network(file, second)
    import_network(file, second)
    Authority.kept_in(tmp_path / "other")
    with pytest.raises(SettingsError, match="another network"):
        import_network(file, tmp_path / "other")


def test_file_is_not_written_over_another_or_without_a_gateway(first: Path, tmp_path: Path) -> None:
    file = tmp_path / "network.json"
    with pytest.raises(SettingsError, match="no gateway") as caught:
        export_network(tmp_path / "nothing", file)
    assert caught.value.hint
    assert not file.exists()
    export_network(first, file)
    with pytest.raises(SettingsError, match="there already"):
        export_network(first, file)


@pytest.mark.parametrize("change", [{"version": 2}, {"authority": {}}, {"ca": 1}, {"gateways": ["x"]}, None])
def test_file_that_is_not_one_changes_nothing(first: Path, tmp_path: Path, change: object) -> None:
    file, second = tmp_path / "network.json", tmp_path / "second"
    export_network(first, file)
    content = json.loads(file.read_text())
    file.write_text(json.dumps({**content, **change} if isinstance(change, dict) else [1]))
    with pytest.raises(SettingsError, match="not the file of a network"):
        import_network(file, second)
    assert not second.exists()


def test_addresses_heard_of_lately_are_kept(tmp_path: Path) -> None:
    assert known_gateways(tmp_path) == ()
    remember_gateways(tmp_path, [f"10.0.0.{i}:4222" for i in range(16)])
    remember_gateways(tmp_path, ["10.0.1.1:4222", "10.0.0.0:4222"])
    known = known_gateways(tmp_path)
    assert known[:3] == ("nats://10.0.1.1:4222", "nats://10.0.0.0:4222", "nats://10.0.0.1:4222")
    assert len(known) == 16


def test_servers_certificate_is_made_again_for_hosts_that_it_does_not_carry(tmp_path: Path) -> None:
    plain = certificates_in(tmp_path).certificate.read_text()
    two = certificates_in(tmp_path, ["gw.lan", "10.0.0.1"]).certificate.read_text()
    assert plain != two
    assert certificates_in(tmp_path, ["10.0.0.1"]).certificate.read_text() == two
    assert certificates_in(tmp_path, ["fe80::1"]).certificate.read_text() != two


def test_what_is_said_of_a_cluster_has_to_fit() -> None:
    assert read_cluster("", "") is None
    place = read_cluster("0.0.0.0:6222", "10.0.0.2:6222, gw3.lan:6222,10.0.0.2:6222")
    assert place is not None
    assert place.peers == (Address("10.0.0.2", 6222), Address("gw3.lan", 6222))
    assert place.replicas == 3
    assert place.hosts("10.0.0.1") == ("10.0.0.1", "10.0.0.2", "gw3.lan")
    with pytest.raises(SettingsError, match="find this one"):
        read_cluster("", "10.0.0.2:6222")
    with pytest.raises(UsageError):
        read_cluster("10.0.0.1:6222", "nonsense")
