import os
import subprocess
import sys
from pathlib import Path

from tests.end_to_end.conftest import ROOT, free_port


def said_until_the_error(home: Path, **settings: str) -> list[str]:
    environment = os.environ | {"BENTOML_HOME": str(home)} | settings
    command = [str(Path(sys.executable).parent / "bentoml"), "serve", ".", "--port", str(free_port())]
    said: list[str] = []
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as server:
        assert server.stdout is not None
        for line in server.stdout:
            said.append(line)
            if line.startswith("error:"):
                break
        server.terminate()
    return said


def test_a_folder_without_models_is_one_line_that_names_it(tmp_path: Path) -> None:
    said = said_until_the_error(tmp_path, FAUSSAIRE_MODELS_DIR=str(tmp_path))
    assert said[-1].startswith(f"error: {tmp_path} has no .onnx file")
    assert not any("Traceback" in line for line in said)


def test_an_unsupported_otlp_protocol_is_one_line_that_names_the_variable(tmp_path: Path) -> None:
    collector = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4317", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}
    said = said_until_the_error(tmp_path, **collector)
    assert said[-1].startswith("error: OTEL_EXPORTER_OTLP_PROTOCOL: set it to http/protobuf")
    assert not any("Traceback" in line for line in said)
