#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""abi_layout.py INCLUDE_DIR: prints all that a plugin's binary depends on in ronda/abi.h.

One line for each struct, member, function type, constant and id, with the minor that brought it: the header is
read once for every RONDA_TARGET_MINOR up to RONDA_ABI_MINOR. Names come from the header's text, so that nothing
can be forgotten; sizes, offsets, types and values come from the compiler, by a small program.
Judges nothing: abi_gate.py does.
"""

import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field

PROBE_HEAD = """
#include <cstddef>
#include <cstdio>
#include <cxxabi.h>
#include <ronda/abi.h>
#include <ronda/version.h>
#include <typeinfo>
template <class T> const char* type() { return abi::__cxa_demangle(typeid(T).name(), nullptr, nullptr, nullptr); }
template <std::size_t n>
void constant(const char* name, const char (&text)[n]) { std::printf("id\\t%s\\t\\"%s\\"\\n", name, text); }
template <class T>
void constant(const char* name, const T& value) { std::printf("constant\\t%s\\t%lld\\n", name, static_cast<long long>(value)); }
int main() {
"""
# these name the edition or steer the compiler; the layout does not depend on their values
NOT_ABI = {"RONDA_ABI_H", "RONDA_VERSION_H", "RONDA_VERSION", "RONDA_ABI_MINOR", "RONDA_NOEXCEPT", "RONDA_TARGET_MINOR"}


class HeaderError(Exception):
    """The header does not compile, or has a form that is not read here."""


@dataclass
class Struct:
    name: str
    members: list = field(default_factory=list)  # (name, its declaration)


@dataclass(frozen=True)
class Line:
    minor: int
    kind: str  # struct, member, function, constant, id
    name: str
    value: str

    def __str__(self):
        return f"1.{self.minor} {self.kind} {self.name} {self.value}"

    @property
    def key(self):
        return self.kind, self.name

    @staticmethod
    def parse(text):
        edition, kind, name, value = text.split(" ", 3)
        return Line(int(edition.split(".")[1]), kind, name, value)


def run(words, text=None):
    done = subprocess.run(words, input=text, capture_output=True, text=True, timeout=120)
    if done.returncode != 0:
        raise HeaderError(f"{words[0]}: {done.stderr.strip()[:2000]}")
    return done.stdout


class Header:
    """ronda/abi.h as seen by a plugin that aims at one minor."""

    def __init__(self, include_dir, minor, cxx):
        self.words = [cxx, "-std=c++17", "-x", "c++", "-DRONDA_NOEXCEPT=", f"-DRONDA_TARGET_MINOR={minor}", f"-I{include_dir}"]
        source = "#include <ronda/abi.h>\n#include <ronda/version.h>\n"
        text = run([*self.words, "-E", "-P", "-dD", "-"], source)
        code = re.sub(r"^#.*$", "", text, flags=re.M)
        self.structs = [self.read_struct(*found) for found in re.findall(r"struct (ronda_\w+) \{(.*?)\}", code, re.S)]
        self.functions = re.findall(r"typedef [^;{}]*?\(\s*\*\s*(ronda_\w+)\s*\)\s*\(", code)
        self.constants = sorted(set(re.findall(r"^#define (RONDA_\w+) ", text, re.M)) - NOT_ABI)

    @staticmethod
    def read_struct(name, body):
        struct = Struct(name)
        for statement in re.sub(r"\s+", " ", body).split(";"):
            statement = statement.strip()
            pointer = re.search(r"\(\s*\*\s*(\w+)\s*\)\s*\(", statement)
            if pointer:
                struct.members.append((pointer[1], statement))
            elif statement:
                names = [re.search(r"(\w+)\s*(\[\w+\]|:\s*\d+)?$", part.strip()) for part in statement.split(",")]
                if not all(names):
                    raise HeaderError(f"{name}: cannot read '{statement}'")
                struct.members += [(found[1], statement) for found in names]
        return struct

    def probe(self):
        """The program that prints what the compiler knows."""
        out = [PROBE_HEAD]
        for struct in self.structs:
            s = struct.name
            out.append(f'std::printf("struct\\t{s}\\tsize %zu align %zu\\n", sizeof({s}), alignof({s}));')
            for m, _ in struct.members:
                out.append(f'std::printf("member\\t{s}.{m}\\tat %zu size %zu %s\\n", offsetof({s}, {m}), sizeof({s}::{m}), '
                           f'type<decltype({s}::{m})>());')
        out += [f'std::printf("function\\t{name}\\t%s\\n", type<{name}>());' for name in self.functions]
        out += [f'constant("{name}", {name});' for name in self.constants]
        return "\n".join(out) + "}\n"

    def values(self):
        """(kind, name) to value, in the order of the header."""
        with tempfile.TemporaryDirectory() as work:
            program = os.path.join(work, "probe")
            run([*self.words, "-w", "-o", program, "-"], self.probe())
            rows = [line.split("\t") for line in run([program]).splitlines()]
        return {(kind, name): value for kind, name, value in rows}


def newest_minor(include_dir):
    with open(os.path.join(include_dir, "ronda/version.h"), encoding="utf-8") as file:
        return int(re.search(r"#define RONDA_ABI_MINOR (\d+)", file.read())[1])


@dataclass
class Layout:
    lines: list      # Line: each thing once, with the minor that brought it
    unsteady: list   # sentences: what differs for plugins that aim at different minors
    newest: Header

    @property
    def minor(self):
        return max(line.minor for line in self.lines)


def read_layout(include_dir, cxx="c++"):
    lines, unsteady, before = [], [], {}
    for minor in range(newest_minor(include_dir) + 1):
        header = Header(include_dir, minor, cxx)
        now = header.values()
        for key, value in now.items():
            # a struct's size grows with what was appended; everything else has one value for ever
            if key in before and before[key] != value and key[0] != "struct":
                unsteady.append(f"{key[1]} is '{before[key]}' for a plugin of 1.{minor - 1} and '{value}' for one of 1.{minor}")
            elif before.get(key) != value:
                lines.append(Line(minor, *key, value))
        unsteady += [f"{name} is gone for a plugin of 1.{minor}" for kind, name in before if (kind, name) not in now]
        before = now
    return Layout(lines, unsteady, header)


if __name__ == "__main__":
    print(*read_layout(sys.argv[1]).lines, sep="\n")
