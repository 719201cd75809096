#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""tests/CASES.md against the tests that there are: cases.py check SOURCE BUILD; cases.py deferred SOURCE NAME;
cases.py --self-test."""

import json
import pathlib
import re
import subprocess
import sys

CASES = [str(n) for n in range(1, 48)] + [f"W{n}" for n in range(1, 31)]
CASES += [f"A{n}" for n in (*range(1, 8), *range(9, 15))] + [f"C{n}" for n in range(1, 12)] + ["U1", "U2"]
CASES += [f"G{n}" for n in (*range(1, 24), *range(31, 34), *range(35, 39), 40)]
CASES += [f"X{n}" for n in (*range(1, 18), *range(19, 23), *range(24, 35), *range(38, 43))]
CASES += [f"N{n}" for n in range(1, 17)]
CASES += [f"H{n}" for n in range(1, 6)] + [f"I{n}" for n in range(1, 7)] + [f"S{n}" for n in range(1, 14)]
CASES += [f"T{n}" for n in range(1, 8)]
CASES += [f"F{n}" for n in (*range(1, 10), 11, 12, *range(14, 19))]
MOST_DEFERRED = 5
TEST_CASE = re.compile(r'\bTEST_CASE\(\s*((?:"(?:[^"\\]|\\.)*"\s*)+)')
PART = re.compile(r'"((?:[^"\\]|\\.)*)"')


def read_table(text):
    """{case: [test, ...]} and {deferred test: (case, why)}."""
    cases, deferred = {}, {}
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if len(cells) != 3:
            continue
        if cells[0].strip("`").startswith("deferred_"):
            deferred[cells[0].strip("`")] = (cells[1], cells[2])
        elif re.fullmatch(r"[ACFGHINSTUWX]?\d+", cells[0]):
            cases.setdefault(cells[0], []).extend(re.findall(r"`([^`]+)`", cells[2]))
    return cases, deferred


def test_cases(path):
    text = path.read_text() if path.is_file() else ""
    return {"".join(PART.findall(names)).replace('\\"', '"') for names in TEST_CASE.findall(text)}


def complaints(text, names_in, ctest_names, is_run):
    """What is wrong with the table; `names_in(file)` gives the test cases of a file below tests/, `is_run` says of one whether
    ctest runs it: what is hidden may be run by nothing."""
    cases, deferred = read_table(text)
    out = [f"case {case} is missing" for case in CASES if case not in cases]
    out += [f"case {case} is none of ours" for case in cases if case not in CASES]
    for case, tests in cases.items():
        firm = [test for test in tests if not test.startswith("ctest: deferred_")]
        if not firm:
            out.append(f"case {case} is held by no test that runs")
        for test in tests:
            file, _, name = test.partition(": ")
            if file == "ctest":
                known = name in ctest_names
                if name.startswith("deferred_") and deferred.get(name, ("",))[0] != case:
                    out.append(f"case {case}: {name} has no reason")
            else:
                known = name in names_in(file)
            if not known:
                out.append(f"case {case}: there is no test '{test}'")
            elif file.endswith(".cpp") and not is_run(name):
                out.append(f"case {case}: nothing runs '{test}'")
    if len(deferred) > MOST_DEFERRED:
        out.append(f"{len(deferred)} are deferred, at most {MOST_DEFERRED} may be")
    return out


def cases_run(command):
    """The test cases that a test program runs when it is called so."""
    listed = subprocess.run(command + ["--list-test-names-only"], check=False, capture_output=True, text=True).stdout
    return {line.strip().strip('"') for line in listed.splitlines()}


def check(source, build):
    listed = subprocess.run(["ctest", "--test-dir", build, "--show-only=json-v1"], check=True, capture_output=True, text=True).stdout
    tests = [test for test in json.loads(listed)["tests"] if "command" in test]
    # its own command, or one that a script is given
    programs = [test["command"][at:] for test in tests for at, word in enumerate(test["command"][:2]) if pathlib.Path(word).name.startswith("test_")]
    run = set().union(*map(cases_run, programs))
    wrong = complaints((source / "tests/CASES.md").read_text(), lambda file: test_cases(source / "tests" / file),
                       {test["name"] for test in tests}, run.__contains__)
    for line in wrong:
        print("CASES.md:", line)
    return 1 if wrong else 0


def tell_deferred(source, name):
    _, deferred = read_table((source / "tests/CASES.md").read_text())
    if name not in deferred:
        print(f"CASES.md does not say why {name} is deferred")
        return 1
    print(f"skipped: case {deferred[name][0]}: {deferred[name][1]}")
    return 77


def self_test():
    rows = "".join(f"| {case} | what | `a_test.cpp: holds` |\n" for case in CASES)
    names = {"a_test.cpp": {"holds", "hidden"}}
    reason = "| `deferred_x` | 7 | later |\n"
    held = rows.replace("| 7 | what | ", "| 7 | what | `ctest: deferred_x`<br>") + reason
    only = rows.replace("| 7 | what | `a_test.cpp: holds` |", "| 7 | what | `ctest: deferred_x` |") + reason
    tried = [
        (rows, None),
        (held, None),
        (only, "case 7 is held by no test that runs"),
        (held.replace(reason, ""), "case 7: deferred_x has no reason"),
        (rows.replace("| 47 |", "| 48 |"), "case 47 is missing"),
        (rows.replace("holds", "held", 1), "case 1: there is no test 'a_test.cpp: held'"),
        (rows.replace("a_test", "b_test", 1), "case 1: there is no test 'b_test.cpp: holds'"),
        (rows.replace("holds", "hidden", 1), "case 1: nothing runs 'a_test.cpp: hidden'"),
        (rows + "".join(f"| `deferred_{n}` | 7 | later |\n" for n in range(6)), "6 are deferred, at most 5 may be"),
    ]
    for text, expected in tried:
        found = complaints(text, lambda file: names.get(file, set()), {"deferred_x"}, {"holds"}.__contains__)
        if (expected is None and found) or (expected is not None and expected not in found):
            print("expected", expected, "found", found)
            return 1
    return 0


def main(words):
    if words == ["--self-test"]:
        return self_test()
    if len(words) == 3 and words[0] == "check":
        return check(pathlib.Path(words[1]), words[2])
    if len(words) == 3 and words[0] == "deferred":
        return tell_deferred(pathlib.Path(words[1]), words[2])
    print(__doc__)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
