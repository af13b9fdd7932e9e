"""How often the policies of libCacheSim hit: policies.py TRACE...; a trace is numbers of eight bytes, little-endian."""

import os
import struct
import sys

import libcachesim

POLICIES = {"lru": libcachesim.LRU, "s3-fifo": libcachesim.S3FIFO}

for path in sys.argv[1:]:
    with open(path, "rb") as file:
        content = file.read()
    things = struct.unpack("<%dQ" % (len(content) // 8), content)
    for entries in (1000, 10000):
        for name, policy in POLICIES.items():
            cache = policy(cache_size=entries)
            request = libcachesim.Request()
            request.obj_size = 1
            hits = 0
            for thing in things:
                request.obj_id = thing
                hits += cache.get(request)
            print("%s,%d,%s,%.2f" % (os.path.basename(path), entries, name, 100.0 * hits / len(things)))
