"""Who may reach the service: this machine alone, unless the operator says otherwise."""

import socket
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


def check_metrics_address(settings: Settings) -> None:
    """Raises InvalidSetting if nobody can listen there, or another does.

    The workers share the address, and would share it with another server too.
    """
    if settings.metrics_host_and_port is None:
        return
    host, port = settings.metrics_host_and_port
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            tried.bind(address)
    except OSError as error:
        raise InvalidSetting(
            f"FAUSSAIRE_METRICS_ADDRESS: {settings.metrics_address}: {error.strerror}; name another"
        ) from None
