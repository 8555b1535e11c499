"""The two variants of the container image. tests/container builds and runs one."""

import re

from service.settings import ROOT

NVIDIA = re.compile(r"nvidia-(?!ml-py)|onnxruntime")
"""nvidia-ml-py is BentoML's."""


def locked(name: str) -> set[str]:
    """`package==version`"""
    lines = (ROOT / "requirements" / name).read_text(encoding="utf-8").splitlines()
    return {line.rstrip(" \\") for line in lines if re.match(r"[a-z0-9-]+==", line)}


def test_the_two_bentos_differ_in_their_lock_file_alone() -> None:
    cpu, gpu = ((ROOT / name).read_text(encoding="utf-8") for name in ("bentofile.yaml", "bentofile-gpu.yaml"))
    assert cpu.count("serve.txt") == 1
    assert gpu == cpu.replace("serve.txt", "serve-gpu.txt")


def test_the_image_says_that_whoever_reaches_its_port_may_use_it() -> None:
    (value,) = re.findall(r'name: FAUSSAIRE_OPEN, value: "(.*)"', (ROOT / "bentofile.yaml").read_text(encoding="utf-8"))
    assert value == "true"


def test_the_two_lock_files_differ_in_the_runtime_and_what_it_draws_by() -> None:
    cpu, gpu = locked("serve.txt"), locked("serve-gpu.txt")
    assert {one.partition("==")[0] for one in cpu - gpu} == {"onnxruntime"}
    assert all(NVIDIA.match(one) for one in gpu - cpu)
    assert any(one.startswith("onnxruntime-gpu==") for one in gpu)
    assert any(one.startswith("nvidia-cudnn") for one in gpu)
