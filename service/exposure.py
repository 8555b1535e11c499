"""Who may reach the service: this machine alone, unless the operator says otherwise."""

from ipaddress import ip_address

from service.errors import InvalidSetting
from service.settings import Settings


def check_host(host: str, settings: Settings) -> None:
    """Raises InvalidSetting for an address that other machines reach, if nobody has said that they may."""
    if ip_address(host).is_loopback or settings.keys_file or settings.open:
        return
    raise InvalidSetting(
        f"other machines reach {host}, and anybody there could use the service: serve with --host 127.0.0.1, or set "
        "FAUSSAIRE_KEYS_FILE, or set FAUSSAIRE_OPEN=true if anybody may"
    )
