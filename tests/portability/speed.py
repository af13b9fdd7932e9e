"""Prints the milliseconds in which a store reads a file under CPython: python speed.py COMPONENT FOLDER FILE TIMES

By pages, since `load` of a large file exhausts the fuel that wasmtime gives a call for what it copies.
"""

import sys
from time import perf_counter

from instance import Instance

component, folder, name, times = sys.argv[1:]
instance = Instance(component, folder)
quickest = float("inf")
for _ in range(int(times)):
    started = perf_counter()
    instance.read(f"/store/{name}")
    quickest = min(quickest, perf_counter() - started)
print(quickest * 1000)
