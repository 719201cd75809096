#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""abi_gate.py check|accept: holds ronda/abi.h to the promise that it only ever grows at its ends.

  abi_gate.py check INCLUDE_DIR ABI_DIR [CXX]
      compares the header with ABI_DIR/layout.golden and that with ABI_DIR/HISTORY.
      Exit 0: the same; 3: only appended, the golden has to follow (accept); 1: broken.
  abi_gate.py accept INCLUDE_DIR ABI_DIR "what: why" [--not-an-append]
      writes the golden and the line of HISTORY that vouches for it.

HISTORY has one line for each accepted change of the golden, newest last:
      DATE MINOR DIGEST what: why
DIGEST is of the golden's lines of that minor, so a golden that was written over without a word does not pass.
A minor's second line in HISTORY is the mark of a change that was no append.
"""

import datetime
import hashlib
import os
import re
import sys
from dataclasses import dataclass, field

from abi_layout import HeaderError, Line, read_layout

GOLDEN_HEAD = """# The binary layout of ronda/abi.h (LP64, little-endian): what every plugin ever built relies on.
# Written by tests/sdk/abi_gate.py accept; compared by the test sdk_abi_gate. Lines are only ever added.
"""
PLAIN_TYPES = {"unsigned int", "int", "unsigned long", "long", "double", "ronda_str", "ronda_kv"}
ID = re.compile(r'"ronda\.[a-z][a-z-]*/[1-9][0-9]*"')


@dataclass
class Verdict:
    broken: list = field(default_factory=list)    # sentences
    appended: list = field(default_factory=list)  # Line

    @property
    def word(self):
        return "broken" if self.broken else "append" if self.appended else "same"

    @property
    def exit_code(self):
        return {"same": 0, "append": 3, "broken": 1}[self.word]


# ---- the form of the header, whatever it was before


def member_parts(value):
    at, size, type_name = re.match(r"at (\d+) size (\d+) (.*)", value).groups()
    return int(at), int(size), type_name


def judge_form(layout):
    """What a header of this boundary may never have, append or not."""
    found = list(layout.unsteady)
    values = {line.key: line.value for line in layout.lines}  # the newest of each
    growable = {s.name for s in layout.newest.structs if s.members[0][0] == "size"}
    for struct in layout.newest.structs:
        end = 0
        for name, source in struct.members:
            at, size, type_name = member_parts(values["member", f"{struct.name}.{name}"])
            found += judge_member(f"{struct.name}.{name}", source, type_name, growable)
            if at != end:
                found.append(f"{struct.name}.{name} starts at {at}, {at - end} bytes of hidden padding: add a member 'reserved'")
            end = at + size
        if f"size {end} " not in values["struct", struct.name]:
            found.append(f"{struct.name} has hidden padding at its end: add a member 'reserved'")
    ids = [line for line in layout.lines if line.kind == "id" and line.name.startswith(("RONDA_KIND_", "RONDA_SERVICE_"))]
    found += [f"{i.name}: {i.value} is not of the form \"ronda.name/1\"" for i in ids if not ID.fullmatch(i.value)]
    spelled = [i.value for i in ids]
    found += [f"{i.name}: {i.value} is the id of another one" for i in ids if spelled.count(i.value) > 1]
    return found


def judge_member(name, source, type_name, growable):
    found = []
    loose = re.search(r"\b(bool|_Bool|enum|short|int|long|unsigned|float|size_t|ssize_t|time_t|wchar_t)\b", source)
    if loose:
        found.append(f"{name} is declared with '{loose[0]}': only fixed-width integers cross the border")
    if ":" in source:
        found.append(f"{name} is a bit-field")
    pointer = type_name.endswith("*") or "(*)" in type_name
    if not pointer and type_name not in PLAIN_TYPES and not re.fullmatch(r"char \[\d+\]", type_name):
        found.append(f"{name} is of type {type_name}: only integers, double, ronda_str, ronda_kv, char[] and pointers cross the border")
    target = re.fullmatch(r"(ronda_\w+)( const)?\*", type_name)
    if target and target[1] in growable:
        found.append(f"{name} points to {target[1]}, whose size grows: as an array its stride would change; hand over one at a time")
    return found


# ---- the header against the golden, the golden against HISTORY


def compare(golden, layout):
    """`golden`: list of Line."""
    verdict = Verdict(judge_form(layout))
    released = max((line.minor for line in golden), default=-1)
    present, before = set(layout.lines), set(golden)
    newest = {line.key: line for line in layout.lines}
    exact = {(line.minor, line.key): line for line in layout.lines}
    frozen = {f"{s.name}" for s in layout.newest.structs if s.members[0][0] != "size"}
    for line in golden:
        if line in present:
            continue
        now = exact.get((line.minor, line.key)) or newest.get(line.key)
        verdict.broken.append(f"{line.name} was '{line.value}'" + (f", is '{now.value}'" if now else ", is gone"))
    for line in layout.lines:
        if line in before or (line.minor, line.key) in {(old.minor, old.key) for old in golden}:
            continue
        if line.minor <= released:
            verdict.broken.append(f"{line.name} is new and visible to plugins of 1.{line.minor}: put it under "
                                  f"'#if RONDA_TARGET_MINOR >= {released + 1}' and raise RONDA_ABI_MINOR")
        elif line.kind == "struct" and line.name in frozen and any(line.key == old.key for old in golden):
            verdict.broken.append(f"{line.name} has no member 'size' and is frozen: take a new id instead")
        else:
            verdict.appended.append(line)
    return verdict


def digest(golden, minor):
    text = "".join(f"{line}\n" for line in golden if line.minor == minor)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def judge_history(golden, text):
    """Whether each minor of the golden is the one that HISTORY last accepted."""
    found, accepted, last_day = [], {}, ""
    for number, row in enumerate(text.splitlines(), 1):
        if not row or row.startswith("#"):
            continue
        form = re.fullmatch(r"(\d{4}-\d\d-\d\d) 1\.(\d+) ([0-9a-f]{16}) \S[^:]*: \S.*", row)
        try:
            day = form and datetime.date.fromisoformat(form[1]).isoformat()
        except ValueError:
            day = None
        if not day or day < last_day:
            found.append(f"HISTORY:{number}: must be 'DATE MINOR DIGEST what: why', dates ascending")
            continue
        last_day = day
        accepted[int(form[2])] = form[3]
    minors = {line.minor for line in golden}
    for minor in sorted(minors | set(accepted)):
        if minor not in minors:
            found.append(f"HISTORY speaks of 1.{minor}, of which the golden has no line")
        elif accepted.get(minor) != digest(golden, minor):
            found.append(f"the golden's lines of 1.{minor} have the digest {digest(golden, minor)}, which the last line of HISTORY "
                         f"for 1.{minor} does not name: a change that is no append needs a line with date, what and why")
    return found


def read_golden(path):
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8") as file:
        return [Line.parse(row) for row in file.read().splitlines() if row and not row.startswith("#")]


def read_text(path):
    if not os.path.exists(path):
        return ""
    with open(path, encoding="utf-8") as file:
        return file.read()


def check(include_dir, abi_dir, cxx="c++"):
    golden = read_golden(os.path.join(abi_dir, "layout.golden"))
    verdict = compare(golden, read_layout(include_dir, cxx))
    verdict.broken += judge_history(golden, read_text(os.path.join(abi_dir, "HISTORY")))
    return verdict


def accept(include_dir, abi_dir, why, also_breaks=False, today=None):
    """Writes golden and HISTORY; returns what forbids it, and then writes nothing."""
    path, history = os.path.join(abi_dir, "layout.golden"), os.path.join(abi_dir, "HISTORY")
    golden, layout = read_golden(path), read_layout(include_dir)
    form = judge_form(layout)
    verdict = compare(golden, layout)
    if form or (verdict.broken and golden and not also_breaks):
        return form or verdict.broken
    if not re.fullmatch(r"\S[^:]*: \S.*", why):
        return ["say it as 'what: why'"]
    day = today or datetime.date.today().isoformat()
    with open(path, "w", encoding="utf-8") as file:
        file.write(GOLDEN_HEAD + "".join(f"{line}\n" for line in layout.lines))
    with open(history, "a", encoding="utf-8") as file:
        for minor in sorted({line.minor for line in layout.lines}):
            if digest(golden, minor) != digest(layout.lines, minor):
                file.write(f"{day} 1.{minor} {digest(layout.lines, minor)} {why}\n")
    return []


def main(words):
    if len(words) in (3, 4) and words[0] == "check":
        verdict = check(*words[1:])
        for sentence in verdict.broken:
            print(f"broken: {sentence}")
        for line in verdict.appended:
            print(f"appended: {line}")
        if verdict.word == "append":
            print("an append: let the golden follow with 'abi_gate.py accept'")
        return verdict.exit_code
    if len(words) in (4, 5) and words[0] == "accept" and words[4:] in ([], ["--not-an-append"]):
        found = accept(*words[1:4], also_breaks=bool(words[4:]))
        print(*[f"refused: {sentence}" for sentence in found], sep="\n")
        return 1 if found else 0
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except HeaderError as error:
        print(f"broken: {error}")
        sys.exit(1)
