#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""clang.py BUILD-DIRECTORY [PART-OF-PATH ..]: has clang 14 check every source of a build (or those named) with the flags that
g++ compiles it with, warnings as errors; nothing is generated. 77 with the reason where there is no clang 14."""
import concurrent.futures
import json
import os
import re
import shlex
import shutil
import subprocess
import sys

GXX_ONLY = {"-fno-gnu-unique", "-Winvalid-pch", "-Wno-stringop-overread", "-Wno-subobject-linkage"}


def command(entry):
    """The compiler's call without its launcher, its output and what only g++ knows."""
    words = shlex.split(entry["command"])
    at = next(i for i, word in enumerate(words) if word.startswith("-"))
    kept, skip = [], False
    for word in words[at:]:
        if skip or word in GXX_ONLY:
            skip = False
        elif word in ("-o", "-include"):  # what is included so is g++'s precompiled header: no source may need it
            skip = True
        else:
            kept.append(word)
    compiler = "clang-14" if entry["file"].endswith(".c") else "clang++-14"
    return ["nice", compiler, "-fsyntax-only", "-Werror", *kept]


def apart(entry):
    """A batch of a unity build as its sources: each has to include what it uses, and to use what is its own."""
    if "/Unity/" not in entry["file"]:
        return [entry]
    with open(entry["file"], encoding="utf-8") as batch:
        sources = re.findall(r'^#include "([^"]+)"', batch.read(), re.M)
    return [{**entry, "file": source, "command": entry["command"].replace(entry["file"], source)} for source in sources]


def check(entry):
    done = subprocess.run(command(entry), cwd=entry["directory"], capture_output=True, text=True, check=False)
    return entry["file"], done.returncode, done.stderr


def main():
    if shutil.which("clang++-14") is None:
        print("skipped: no clang++-14 (Debian: clang-14)")
        return 77
    with open(os.path.join(sys.argv[1], "compile_commands.json"), encoding="utf-8") as file:
        entries = {entry["file"]: entry for batch in json.load(file) for entry in apart(batch)}
    wanted = [e for path, e in sorted(entries.items()) if not sys.argv[2:] or any(part in path for part in sys.argv[2:])]
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for path, code, said in pool.map(check, wanted):
            if code != 0:
                failed += 1
                print(f"{path}:\n{said}", flush=True)
    print(f"{len(wanted)} sources, {failed} not clean")
    return 1 if failed or not wanted else 0


if __name__ == "__main__":
    sys.exit(main())
