#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How what is installed is hardened, as readelf sees it.

hardening.py linked BUILD              every program and plugin of a build: how it is linked, which is the same in each preset
hardening.py release SOURCE SCRATCH TARGET ...
                                       configures the release below SCRATCH: every source has every flag; builds the targets and
                                       wants canaries and checked calls in them too
hardening.py --self-test CC            makes programs that lack one thing each, and wants it missed
"""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

PROGRAMS = ("ronda", "ronda-runner", "ronda-contract")
# Of every source that is installed as code. Hidden visibility is for plugins alone: a program exports nothing by itself.
FLAGS = ("-O2", "-D_FORTIFY_SOURCE=3", "-D_GLIBCXX_ASSERTIONS", "-fstack-protector-strong", "-fstack-clash-protection", "-fcf-protection=full",
         "-fno-delete-null-pointer-checks", "-fno-strict-overflow")
GCC_FLAGS = ("-ftrivial-auto-var-init=zero",)
INDEPENDENT = {"-fPIE", "-fPIC"}


def facts_of(file):
    tool = subprocess.run(["readelf", "-hldW", "--dyn-syms", file], check=True, capture_output=True, text=True, env=os.environ | {"LC_ALL": "C"})
    return tool.stdout


def is_program(facts):
    return re.search(r"^ *INTERP ", facts, re.MULTILINE) is not None


def link_faults(facts):
    independent = r"\(FLAGS_1\).*\bPIE\b" if is_program(facts) else r"Type: +DYN\b"
    if not re.search(independent, facts):
        yield "it is not position independent"
    if not re.search(r"^ *GNU_RELRO ", facts, re.MULTILINE):
        yield "no RELRO"
    if not re.search(r"\(BIND_NOW\)|\(FLAGS\).*\bBIND_NOW\b|\(FLAGS_1\).*\bNOW\b", facts):
        yield "it is not bound when it is loaded, so its RELRO is partial"
    stack = re.search(r"^ *GNU_STACK +(?:0x\w+ +){5}([RWE ]*?) +0x", facts, re.MULTILINE)
    if not stack or "E" in stack.group(1):
        yield "its stack is executable"
    if re.search(r"^ *LOAD .* (?:RWE|[R ]?WE) ", facts, re.MULTILINE):
        yield "a part of it can be written and executed"
    for found in re.findall(r"\((RPATH|RUNPATH|TEXTREL)\)", facts):
        yield f"it has {found}"


def imports(facts):
    return {name.split("@")[0] for name in re.findall(r"\bUND +(\S+)", facts)}


def code_faults(facts):
    names = imports(facts)
    if "__stack_chk_fail" not in names:
        yield "no canaries"
    if is_program(facts) and not any(name.endswith("_chk") for name in names):
        yield "no checked call"  # a small plugin may call nothing that has such a form


def flag_faults(command):
    """Of one entry of compile_commands.json."""
    words = command.split()
    wanted = FLAGS + (() if any("clang" in pathlib.Path(word).name for word in words[:2]) else GCC_FLAGS)
    out = [flag for flag in wanted if flag not in words]
    level = [word for word in words if re.fullmatch(r"-O\w*", word)]
    if level and level[-1] != "-O2":
        out.append(f"-O2 after {level[-1]}")
    return out + ([] if INDEPENDENT & set(words) else ["-fPIE"])


def look(files, *judges):
    out = []
    for file in files:
        facts = facts_of(file)
        out += [f"{file}: {fault}" for judge in judges for fault in judge(facts)]
    return out


def plugins(build):
    return sorted((build / "plugins").glob("*.so"))


def linked(build):
    files = [build / "bin" / name for name in PROGRAMS] + plugins(build)
    if len(files) < len(PROGRAMS) + 10:
        return [f"{build}/plugins has hardly a plugin"]
    return look(files, link_faults)


def build(words, place):
    done = subprocess.run(words, cwd=place, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        sys.exit(done.stdout[-4000:])


def release(source, scratch, targets):
    launcher = [f"-DCMAKE_{one}_COMPILER_LAUNCHER=ccache" for one in ("C", "CXX")] if shutil.which("ccache") else []
    (scratch / "CMakeCache.txt").unlink(missing_ok=True)  # what the preset said at another time
    build(["cmake", "--preset", "release", "-B", scratch, "-DRONDA_TESTS=OFF", *launcher], source)
    build(["cmake", "--build", scratch, "--target", *targets], source)
    commands = json.loads((scratch / "compile_commands.json").read_text())
    out = [f"{one['file']}: compiled without {' '.join(missing)}" for one in commands if (missing := flag_faults(one["command"]))]
    if len(commands) < 100:
        out.append(f"only {len(commands)} sources: that is not all of it")
    files = []
    for target in targets:
        program = scratch / "bin" / target
        files += plugins(scratch) if target == "all_plugins" else [program if program.exists() else scratch / "plugins" / f"{target}.so"]
    return out + look(files, link_faults, code_faults)


SAMPLE = """#include <stdio.h>
#include <string.h>
int main(int count, char** words) { char text[16]; strcpy(text, words[count - 1]); return puts(text) < 0; }
"""
GOOD = ["-O2", "-U_FORTIFY_SOURCE", "-D_FORTIFY_SOURCE=2", "-fstack-protector-strong", "-fPIE", "-pie", "-Wl,-z,relro,-z,now,-z,noexecstack"]
SPOILT = [(["-fno-pie", "-no-pie"], "it is not position independent"), (["-Wl,-z,norelro"], "no RELRO"), (["-Wl,-z,lazy"], "it is not bound"),
          (["-Wl,-z,execstack"], "its stack is executable"), (["-Wl,-rpath,/opt/lib"], "it has RUNPATH"),
          (["-Wl,-rpath,/opt/lib,--disable-new-dtags"], "it has RPATH"), (["-fno-stack-protector"], "no canaries"),
          (["-U_FORTIFY_SOURCE"], "no checked call")]


def self_test(compiler):
    failed = []
    with tempfile.TemporaryDirectory() as place:
        source, program = pathlib.Path(place) / "sample.c", pathlib.Path(place) / "sample"
        source.write_text(SAMPLE)
        for spoil, wanted in [([], "")] + SPOILT:
            subprocess.run([compiler, source, "-o", program, *GOOD, *spoil], check=True, stderr=subprocess.DEVNULL)
            found = look([program], link_faults, code_faults)
            if not any(wanted in fault for fault in found) if wanted else found:
                failed.append(f"{spoil or 'a sound program'}: {found}")
            if not spoil:  # what no linker makes by itself
                facts = facts_of(program)
                for before, after, begins in [(" R E ", " RWE ", "a part of it"), ("GNU_STACK", "GNU_OTHER", "its stack")]:
                    if not any(fault.startswith(begins) for fault in link_faults(facts.replace(before, after))):
                        failed.append(f"{after}: nothing is said of it")
    sound = ["/usr/bin/g++", "-fPIE", "-U_FORTIFY_SOURCE", *FLAGS, *GCC_FLAGS]
    for missing in ["", *sound[4:]]:
        faults = flag_faults(" ".join(word for word in sound if word != missing))
        if faults != ([missing] if missing else []):
            failed.append(f"without {missing or 'nothing'}: {faults}")
    if flag_faults(" ".join(["/usr/bin/clang++-14", "-fPIC", *FLAGS])) or flag_faults(" ".join([*sound, "-O0"])) != ["-O2 after -O0"]:
        failed.append("another compiler, or another level after the first")
    return failed


def main(words):
    holds = "hardened as it should be"
    if words[:1] == ["linked"] and len(words) == 2:
        found = linked(pathlib.Path(words[1]))
    elif words[:1] == ["release"] and len(words) > 3:
        found = release(pathlib.Path(words[1]), pathlib.Path(words[2]), words[3:])
    elif words[:1] == ["--self-test"] and len(words) == 2:
        found, holds = self_test(words[1]), "whatever is missing is missed"
    else:
        print(__doc__, file=sys.stderr)
        return 2
    print("\n".join(found) or holds)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
