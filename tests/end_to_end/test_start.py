import os
import re
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import httpx
import psutil
import pytest

from tests.conftest import Secret
from tests.end_to_end.conftest import ROOT, free_port, serving, workers


def start(home: Path, *options: str, **settings: str) -> tuple[int, list[str]]:
    """Start a server that cannot start: its exit status, and what it said."""
    command = [str(Path(sys.executable).parent / "bentoml"), "serve", ".", "--port", str(free_port())]
    done = subprocess.run(
        [*command, *options],
        cwd=ROOT,
        env=os.environ | {"BENTOML_HOME": str(home), "BENTOML_HOST": "127.0.0.1"} | settings,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout.splitlines()


@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"FAUSSAIRE_MODELS_DIR": "/dev/null/none"}, "error: /dev/null/none"),
        ({"FAUSSAIRE_MODELS_DIR": "docs"}, "error: docs has no .onnx file; export one with 'faussaire export'"),
        ({"FAUSSAIRE_DEFAULT_MODEL": "mnist-infogam"}, "error: FAUSSAIRE_DEFAULT_MODEL: no model has the name"),
        ({"FAUSSAIRE_DEFUALT_MODEL": "x"}, "error: FAUSSAIRE_DEFUALT_MODEL: there is no such setting; did you mean"),
        ({"FAUSSAIRE_TRUSTED_KEYS": "LICENSE"}, "error: FAUSSAIRE_TRUSTED_KEYS: LICENSE must be a public key or a"),
        ({"FAUSSAIRE_KEYS_FILE": "README.md"}, "error: FAUSSAIRE_KEYS_FILE: README.md: Invalid JSON"),
        (
            {"FAUSSAIRE_TLS_CERTIFICATE": "/dev/null/none", "FAUSSAIRE_TLS_KEY": "LICENSE"},
            "error: FAUSSAIRE_TLS_CERTIFICATE: /dev/null/none: Not a directory",
        ),
        (
            {"FAUSSAIRE_TLS_CERTIFICATE": "LICENSE", "FAUSSAIRE_TLS_KEY": "LICENSE"},
            "error: FAUSSAIRE_TLS_CERTIFICATE, FAUSSAIRE_TLS_KEY: LICENSE must be a certificate in PEM",
        ),
        ({"FAUSSAIRE_MAX_IMAGES": "0"}, "error: FAUSSAIRE_MAX_IMAGES: Input should be greater than or equal to 1"),
    ],
)
def test_what_cannot_start_says_one_line_and_ends_with_two(
    tmp_path: Path, workers: str, settings: dict[str, str], said: str
) -> None:
    status, lines = start(tmp_path, FAUSSAIRE_WORKERS=workers, **settings)
    assert status == 2, lines
    assert [line for line in lines if line.startswith(said)], lines
    assert not any("Traceback" in line for line in lines)


def test_models_that_nobody_trusted_has_signed_are_one_line(tmp_path: Path, secret: Secret) -> None:
    status, lines = start(tmp_path, FAUSSAIRE_TRUSTED_KEYS=str(secret.certificate))
    assert status == 2, lines
    last = [line for line in lines if line.startswith("error: ")]
    assert [line for line in last if "it has no signature fashion-cgan.onnx.sig (FAUSSAIRE_TRUSTED_KEYS)" in line]


@pytest.mark.parametrize("workers", ["1", "2"])
def test_an_address_that_another_has_is_one_line(tmp_path: Path, workers: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        status, lines = start(tmp_path, "--port", str(port), FAUSSAIRE_WORKERS=workers)
    assert status == 2, lines
    assert lines[-1] == f"error: 127.0.0.1:{port}: Address already in use; choose others by --port and --host"
    assert not any("Traceback" in line for line in lines)


def test_an_address_that_this_machine_has_not_is_one_line(tmp_path: Path) -> None:
    status, lines = start(tmp_path, "--host", "192.0.2.1", FAUSSAIRE_OPEN="true")
    assert status == 2, lines
    assert lines[-1].endswith("Cannot assign requested address; choose others by --port and --host")


@pytest.mark.parametrize("port", ["-1", "65536", "99999", "80000000000"])
def test_what_is_no_port_is_one_line(tmp_path: Path, port: str) -> None:
    status, lines = start(tmp_path, "--port", port)
    assert (status, lines[-1]) == (2, f"error: --port: {port} is no port; choose one from 1 to 65535")


@pytest.mark.parametrize(
    ("options", "settings", "host"),
    [
        (("--host", "0.0.0.0"), {}, "0.0.0.0"),
        (("--host", "::"), {}, "::"),
        ((), {"BENTOML_HOST": ""}, "0.0.0.0"),  # BentoML's own default
        ((), {"BENTOML_HOST": "192.0.2.1"}, "192.0.2.1"),
        (("--host", "0.0.0.0"), {"FAUSSAIRE_WORKERS": "2", "FAUSSAIRE_OPEN": "false"}, "0.0.0.0"),
    ],
)
def test_other_machines_are_not_served_unless_somebody_said_so(
    tmp_path: Path, options: tuple[str, ...], settings: dict[str, str], host: str
) -> None:
    status, lines = start(tmp_path, *options, **settings)
    assert status == 2
    (said,) = lines
    assert said.startswith(f"error: other machines reach {host}")
    assert "FAUSSAIRE_OPEN=true" in said


def test_other_machines_are_served_if_somebody_said_so(own_models: Path, tmp_path: Path) -> None:
    with serving(own_models, tmp_path, BENTOML_HOST="0.0.0.0", FAUSSAIRE_OPEN="true") as client:
        (worker,) = workers(own_models)
        listening = [each.laddr.ip for each in worker.net_connections() if each.status == psutil.CONN_LISTEN]
        assert listening == ["0.0.0.0"]
        assert client.get("/readyz").is_success


def test_a_certificate_by_an_option_of_bentoml_is_refused_with_what_to_set(tmp_path: Path, secret: Secret) -> None:
    """With this option, uvicorn would speak TLS without the service's limits."""
    status, lines = start(tmp_path, "--ssl-certfile", str(secret.certificate), "--ssl-keyfile", str(secret.key))
    assert status == 2
    assert lines == ["error: --ssl-certfile: set FAUSSAIRE_TLS_CERTIFICATE and FAUSSAIRE_TLS_KEY instead"]


def test_an_address_of_metrics_that_another_has_is_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        address = f"127.0.0.1:{other.getsockname()[1]}"
        status, lines = start(tmp_path, FAUSSAIRE_METRICS_ADDRESS=address)
    assert status == 2
    assert lines == [f"error: FAUSSAIRE_METRICS_ADDRESS: {address}: Address already in use; name another"]


def test_an_unsupported_otlp_protocol_is_one_line_that_names_the_variable(tmp_path: Path) -> None:
    collector = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4317", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}
    status, said = start(tmp_path, **collector)
    assert status == 2
    assert [line for line in said if line.startswith("error: OTEL_EXPORTER_OTLP_PROTOCOL: set it to http/protobuf")]
    assert not any("Traceback" in line for line in said)


def test_nothing_listens_but_the_service(own_models: Path, tmp_path: Path) -> None:
    """Whoever reaches the process manager can run programs as the server's user."""
    with serving(own_models, tmp_path) as client:
        (worker,) = workers(own_models)
        parent = worker.parent()
        assert parent is not None
        connections = [
            each for process in (parent, *parent.children(recursive=True)) for each in process.net_connections("all")
        ]
        listening = {
            each.laddr.port
            for each in connections
            if each.status == psutil.CONN_LISTEN and each.family != socket.AF_UNIX
        }
        assert listening == {client.base_url.port}
        (commands,) = {Path(str(each.laddr)) for each in connections if str(each.laddr).endswith("/commands")}
        assert commands.parent.stat().st_mode & 0o777 == 0o700
    assert not commands.parent.exists()


def test_a_worker_that_is_killed_is_replaced(own_models: Path, tmp_path: Path) -> None:
    with serving(own_models, tmp_path) as client:
        (worker,) = workers(own_models)
        worker.kill()
        answers: list[httpx.Response] = []
        while not answers:
            with suppress(httpx.TransportError):  # the connections of the dead one
                answers.append(client.get("/readyz"))
        assert answers[0].is_success
        assert workers(own_models) != [worker]


@pytest.mark.parametrize("host", ["localhost", "[::1]", "::1", "127.0.0.1"])
def test_make_takes_each_form_of_a_host(host: str) -> None:
    shown = subprocess.run(
        ["make", "--dry-run", "serve", f"HOST={host}"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    (command,) = re.findall(r"--host \$\((.*?)\) --port", shown.stdout)
    address = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True).stdout.strip()
    assert address in {"127.0.0.1", "::1"}
