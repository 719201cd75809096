#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""abi_witness.py check|write INCLUDE_DIR DUMP [CC]: ronda/abi.h as libabigail sees it, against a kept dump.

A second witness beside abi_gate.py, which shares nothing with it but the names of the structs. It cannot tell an
append from a break, so any difference counts and there are no suppressions: an accepted change of the header comes
with a new dump (write). A difference counts only with the tools that made the dump, named in its last line; others
describe the same types in other words. Exit 0: the same; 1: another; 77: nothing can be said with these tools.
"""

import os
import re
import subprocess
import sys
import tempfile

from abi_layout import Header, HeaderError, newest_minor, run

DUMP_OPTIONS = ["--no-corpus-path", "--no-comp-dir-path", "--no-show-locs", "--no-parameter-names"]


def tools(cc):
    compiler = run([cc, "--version"]).splitlines()[0]
    return f"{os.path.basename(cc)} {re.findall(r'[0-9.]+', compiler)[-1]}, {run(['abidw', '--version']).strip()}"


def build_probe(include_dir, work, cc):
    """A shared object with one variable of every struct and function type."""
    minor = newest_minor(include_dir)
    header = Header(include_dir, minor, "c++")
    source, probe = os.path.join(work, "probe.c"), os.path.join(work, "probe.so")
    with open(source, "w", encoding="utf-8") as file:
        file.write("#include <ronda/abi.h>\n")
        file.writelines(f"{name} probe_{name};\n" for name in [s.name for s in header.structs] + header.functions)
    run([cc, "-std=c11", "-g", "-gdwarf-4", "-fPIC", "-shared", f"-DRONDA_TARGET_MINOR={minor}", f"-I{include_dir}", source, "-o", probe])
    return probe


def write(include_dir, dump, cc):
    with tempfile.TemporaryDirectory() as work:
        text = run(["abidw", *DUMP_OPTIONS, build_probe(include_dir, work, cc)])
    with open(dump, "w", encoding="utf-8") as file:
        file.write(f"{text}<!-- {tools(cc)} -->\n")


def difference(include_dir, dump, cc):
    """What abidiff says; empty when it sees none."""
    with tempfile.TemporaryDirectory() as work:
        done = subprocess.run(["abidiff", dump, build_probe(include_dir, work, cc)], capture_output=True, text=True, timeout=120)
    return "" if done.returncode == 0 else f"{done.stdout}{done.stderr}abidiff ended with {done.returncode}"


def check(include_dir, dump, cc):
    found = difference(include_dir, dump, cc)
    if not found:
        return 0
    with open(dump, encoding="utf-8") as file:
        made_with = re.search(r"<!-- (.*) -->\s*$", file.read())[1]
    if made_with != tools(cc):
        print(f"skipped: the dump was made with {made_with}; here is {tools(cc)}")
        return 77
    print(found)
    return 1


def main(words):
    if len(words) not in (3, 4) or words[0] not in ("check", "write"):
        print(__doc__, file=sys.stderr)
        return 2
    cc = words[3] if len(words) == 4 else "gcc"
    if words[0] == "check":
        return check(words[1], words[2], cc)
    return write(words[1], words[2], cc)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except FileNotFoundError as error:
        print(f"skipped: there is no {error.filename}")
        sys.exit(77)
    except HeaderError as error:
        print(error)
        sys.exit(1)
