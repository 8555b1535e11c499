from pathlib import Path

import pytest

from service.errors import InvalidSetting
from service.exposure import check_host
from service.settings import Settings


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.10", "::1"])
def test_this_machine_alone_needs_no_setting(host: str) -> None:
    check_host(host, Settings())


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "10.0.0.1", "fe80::1", "::ffff:192.168.1.5"])
def test_an_address_of_other_machines_needs_keys_or_consent(host: str) -> None:
    with pytest.raises(InvalidSetting, match=f"^other machines reach {host}, .*FAUSSAIRE_OPEN=true"):
        check_host(host, Settings())
    check_host(host, Settings(open=True))
    check_host(host, Settings(keys_file=Path("keys.json")))
