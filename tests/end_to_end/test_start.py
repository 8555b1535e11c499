import os
import subprocess
import sys
from pathlib import Path

from tests.end_to_end.conftest import ROOT, free_port


def test_a_folder_without_models_is_one_line_that_names_it_and_no_traceback(tmp_path: Path) -> None:
    environment = os.environ | {"BENTOML_HOME": str(tmp_path), "FAUSSAIRE_MODELS_DIR": str(tmp_path)}
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
    assert said[-1].startswith(f"error: {tmp_path} has no .onnx file")
    assert not any("Traceback" in line for line in said)
