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
        # Up to the import of the module that reads: beyond it are the modules that import that one.
        frame, readers = sys._getframe(2), []
        while frame is not None and "importlib" not in frame.f_globals.get("__name__", ""):
            readers.append(frame.f_globals.get("__name__", ""))
            frame = frame.f_back
        direct = next((reader for reader in readers if reader not in ("os", "collections.abc")), "")
        ours = [reader for reader in readers if reader.split(".")[0] in OURS]
        # pydantic reads variables of its own for our models, and ours through its settings.
        if ours and (direct in ours or name.startswith("FAUSSAIRE_")):
            read.add(f"{ours[0]} reads {name}")

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
