"""Times Python's libraries on a file: a name and milliseconds a line, the shortest of several runs each. With a file of JSON
behind it, a pickle is made of that first."""

import io
import json
import pathlib
import pickle
import sys
import time
import xml.etree.ElementTree

import lxml.etree
import orjson
import ruamel.yaml
import yaml


def plain(element):
    """An element as plain data: its tag, attributes, text, tail and children."""
    return (element.tag, dict(element.attrib), element.text, element.tail, [plain(child) for child in element])


PEERS = {
    ".json": {
        "CPython json": (3, lambda data: json.loads(data)),
        "orjson": (3, lambda data: orjson.loads(data)),
    },
    ".yaml": {
        "PyYAML, libyaml": (1, lambda data: yaml.load(data, Loader=yaml.CSafeLoader)),
        "PyYAML, pure": (1, lambda data: yaml.load(data, Loader=yaml.SafeLoader)),
        "ruamel.yaml, safe": (1, lambda data: ruamel.yaml.YAML(typ="safe").load(data)),
    },
    ".pickle": {
        "CPython pickle": (3, lambda data: pickle.loads(data)),
    },
    ".xml": {
        "ElementTree, and a walk": (3, lambda data: plain(xml.etree.ElementTree.parse(io.BytesIO(data)).getroot())),
        "lxml, and a walk": (3, lambda data: plain(lxml.etree.parse(io.BytesIO(data)).getroot())),
    },
}


def shortest(path, times, work):
    elapsed = []
    for _ in range(times):
        start = time.perf_counter()
        work(path.read_bytes())
        elapsed.append(time.perf_counter() - start)
    return min(elapsed)


path = pathlib.Path(sys.argv[1])
if len(sys.argv) > 2:
    path.write_bytes(pickle.dumps(json.loads(pathlib.Path(sys.argv[2]).read_bytes()), 4))
    sys.exit()
for name, (times, work) in PEERS[path.suffix].items():
    print(f"{name}\t{shortest(path, times, work) * 1e3:.1f}", flush=True)
