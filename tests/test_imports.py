"""What importing the project does: it reads no environment."""

import json
import os
import subprocess
import sys

from service.settings import ROOT

SPY = """
import json, os, pkgutil, sys
import importlib

OURS = ("faussaire", "latent", "service", "training")
read = set()

class Spy(type(os.environ)):
    def __getitem__(self, name):
        self.note(name)
        return super().__getitem__(name)

    def note(self, name):
        frame = sys._getframe(2)
        while frame.f_globals.get("__name__") in ("os", "_collections_abc"):
            frame = frame.f_back
        module = frame.f_globals.get("__name__", "")
        if module.split(".")[0] in OURS or str(name).startswith("FAUSSAIRE_"):
            read.add(f"{module} reads {name}")

os.environ.__class__ = Spy
for package in OURS:
    for module in pkgutil.walk_packages([package], f"{package}."):
        importlib.import_module(module.name)
print(json.dumps(sorted(read)))
"""


def test_no_module_reads_the_environment_when_it_is_imported() -> None:
    program = [sys.executable, "-W", "ignore", "-c", SPY]
    environment = os.environ | {"FAUSSAIRE_MAX_IMAGES": "10"}  # settings read at import would read this
    done = subprocess.run(program, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout.splitlines()[-1]) == []
