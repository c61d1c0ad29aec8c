"""Run a sample as in a notebook: ``display`` is there, and the one picture on the web is a file. SAMPLE PICTURE."""

import runpy
import sys
from pathlib import Path
from types import SimpleNamespace

import requests

sample, picture = sys.argv[1:]
requests.get = lambda _: SimpleNamespace(content=Path(picture).read_bytes())
runpy.run_path(sample, {"display": lambda image: print("shown:", *image.size)})
