#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The gate fed with headers that must not pass and with such that must; and what the second witness makes of them.
INCLUDE_DIR and ABI_DIR come by environment."""

import os
import re
import shutil
import tempfile
import unittest

import abi_gate
import abi_witness
from abi_layout import HeaderError, read_layout

INCLUDE_DIR, ABI_DIR = os.environ["INCLUDE_DIR"], os.environ["ABI_DIR"]
CXX = os.environ.get("CXX", "c++")

RAISE_MINOR = ("#define RONDA_ABI_MINOR 0", "#define RONDA_ABI_MINOR 1")
CALL_END = "  int64_t scheduled_wall_ns;  /* the slot this run is for; 0 when it has none */\n"


def guarded(text):
    return f"#if RONDA_TARGET_MINOR >= 1\n{text}\n#endif\n"


def pattern(text):
    return re.compile(text, re.S)


# name, [(text or pattern, what takes its place) ...], a part of what the gate says
BROKEN = [
    ("two members change places",
     [("  uint64_t id;\n  uint64_t deadline_mono_ns;  /* CLOCK_MONOTONIC; be back by then */\n",
       "  uint64_t deadline_mono_ns;\n  uint64_t id;\n")],
     "ronda_call.id was 'at 8 size 8 unsigned long', is 'at 16 size 8 unsigned long'"),
    ("two functions of one type change places",
     [("(*previous)(", "(*swapped)("), ("(*next)(", "(*previous)("), ("(*swapped)(", "(*next)(")],
     "ronda_calendar_1.previous was 'at 8"),
    ("a member in the middle", [("  uint64_t id;\n  uint64_t dead", "  uint64_t id;\n  uint64_t extra;\n  uint64_t dead")],
     "ronda_call.deadline_mono_ns was 'at 16 size 8 unsigned long', is 'at 24 size 8 unsigned long'"),
    ("a member in the middle, for the next minor only",
     [RAISE_MINOR, ("  uint64_t id;\n  uint64_t dead", "  uint64_t id;\n" + guarded("  uint64_t extra;") + "  uint64_t dead")],
     "ronda_call.deadline_mono_ns is 'at 16 size 8 unsigned long' for a plugin of 1.0 and 'at 24 size 8 unsigned long'"),
    ("a member is gone", [(CALL_END, "")], "ronda_call.scheduled_wall_ns was 'at 32 size 8 long', is gone"),
    ("a member gets another name", [("  int32_t cancel_fd;", "  int32_t cancel;")], "ronda_call.cancel_fd was"),
    ("a struct is gone", [(pattern(r"typedef struct ronda_facts_1 \{.*?\} ronda_facts_1;"), "")],
     "ronda_facts_1 was 'size 16 align 8', is gone"),
    ("signed becomes unsigned", [("  int32_t cancel_fd;", "  uint32_t cancel_fd;")], "ronda_call.cancel_fd was 'at 24 size 4 int'"),
    ("an integer becomes a double of its size", [("  int64_t i64;", "  double i64;")], "ronda_metric.i64 was"),
    ("a type is widened", [("  uint32_t size, flags;\n  uint64_t id", "  uint32_t size;\n  uint64_t flags;\n  uint64_t id")],
     "ronda_call.flags was"),
    ("const goes", [("  const ronda_kv *labels; ", "  ronda_kv *labels; ")], "ronda_metric.labels was"),
    ("the text of an error shrinks", [("char msg[504]", "char msg[248]")], "ronda_error was 'size 512 align 4'"),
    ("a constant has another value", [("#define RONDA_STATUS_UNKNOWN 3", "#define RONDA_STATUS_UNKNOWN 4")],
     "RONDA_STATUS_UNKNOWN was '3', is '4'"),
    ("constants are renumbered", [("RONDA_E_AGAIN (-1)", "RONDA_E_AGAIN (-2)"), ("RONDA_E_TIMEOUT (-2)", "RONDA_E_TIMEOUT (-1)")],
     "RONDA_E_TIMEOUT was '-2', is '-1'"),
    ("a constant is gone", [(pattern(r"#define RONDA_REASON_FIRST 4u[^\n]*"), "")], "RONDA_REASON_FIRST was '4', is gone"),
    ("an id has a slip", [('"ronda.secret/1"', '"ronda.secrets/1"')], "RONDA_SERVICE_SECRET was"),
    ("an id goes up though /1 stays promised", [('"ronda.kv/1"', '"ronda.kv/2"')], "RONDA_SERVICE_KV was"),
    ("the entry has another name", [('"ronda_plugin_entry_1"', '"ronda_plugin_entry"')], "RONDA_ENTRY_SYMBOL was"),
    ("the entry has another parameter", [("(*ronda_plugin_entry_fn)(const ronda_host *host, ", "(*ronda_plugin_entry_fn)(")],
     "ronda_plugin_entry_fn was"),
    ("a parameter has another type", [("ronda_str value, int64_t ttl_ns", "ronda_str value, double ttl_ns")], "ronda_kv_1.put was"),
    ("a parameter more", [("(*commit)(const ronda_inst *inst)", "(*commit)(const ronda_inst *inst, uint32_t how)")],
     "ronda_kv_1.commit was"),
    ("a parameter less", [("(*cancel)(void *self, const ronda_call *call)", "(*cancel)(void *self)")], "ronda_check_1.cancel was"),
    ("another return type", [("void (*destroy)", "int32_t (*destroy)")], "ronda_check_1.destroy was"),
    ("a callback has another parameter", [("(*ronda_inbox_fn)(void *user, ", "(*ronda_inbox_fn)(")], "ronda_inbox_fn was"),
    ("an append that every plugin sees", [(CALL_END, CALL_END + "  uint64_t extra;\n")],
     "ronda_call.extra is new and visible to plugins of 1.0: put it under '#if RONDA_TARGET_MINOR >= 1' and raise RONDA_ABI_MINOR"),
    ("an append that older plugins see though the minor was raised", [RAISE_MINOR, (CALL_END, CALL_END + "  uint64_t extra;\n")],
     "ronda_call.extra is new and visible to plugins of 1.0"),
    ("a constant without a new minor", [("#define RONDA_OK 0", "#define RONDA_OK 0\n#define RONDA_E_LATER (-8)")],
     "RONDA_E_LATER is new and visible"),
    ("a frozen struct grows",
     [RAISE_MINOR, ("ronda_str key, value; }", "ronda_str key, value;\n" + guarded("uint64_t kind;") + "}")],
     "ronda_kv has no member 'size' and is frozen"),
    ("a bool", [RAISE_MINOR, (CALL_END, CALL_END + guarded("  bool extra; uint8_t reserved[7];"))],
     "ronda_call.extra is declared with 'bool'"),
    ("a long", [RAISE_MINOR, (CALL_END, CALL_END + guarded("  long extra;"))], "declared with 'long'"),
    ("hidden padding", [RAISE_MINOR, (CALL_END, CALL_END + guarded("  uint32_t extra;"))], "ronda_call has hidden padding at its end"),
    ("an array of structs that grow",
     [RAISE_MINOR, (CALL_END, CALL_END + guarded("  const ronda_error *errors; uint64_t error_count;"))],
     "ronda_call.errors points to ronda_error, whose size grows"),
    ("two services of one id",
     [RAISE_MINOR, ("#define RONDA_OK 0", "#define RONDA_OK 0\n" + guarded('#define RONDA_SERVICE_OTHER "ronda.kv/1"'))],
     "is the id of another one"),
    ("a declaration that newer plugins lose",
     [RAISE_MINOR, ("#define RONDA_REASON_FIRST 4u", "#if RONDA_TARGET_MINOR < 1\n#define RONDA_REASON_FIRST 4u\n#endif\n")],
     "RONDA_REASON_FIRST is gone for a plugin of 1.1"),
]

APPEND = [
    ("a member at the end, from 1.1 on", [RAISE_MINOR, (CALL_END, CALL_END + guarded("  uint64_t extra;"))],
     ["1.1 struct ronda_call size 48 align 8", "1.1 member ronda_call.extra at 40 size 8 unsigned long"]),
    ("a function at the end of a service",
     [RAISE_MINOR,
      (pattern(r"(  int32_t \(\*commit\)[^\n]*\n)"),
       r"\1" + guarded("  int32_t (*count)(const ronda_inst *inst, uint64_t *out) RONDA_NOEXCEPT;"))],
     ["1.1 struct ronda_kv_1 size 56 align 8", "1.1 member ronda_kv_1.count at 48 size 8 int (*)(ronda_inst const*, unsigned long*)"]),
    ("a new constant", [RAISE_MINOR, ("#define RONDA_OK 0", "#define RONDA_OK 0\n" + guarded("#define RONDA_E_LATER (-8)"))],
     ["1.1 constant RONDA_E_LATER -8"]),
    ("a new service", [RAISE_MINOR, ("#define RONDA_SERVICE_CLOCK", guarded('#define RONDA_SERVICE_TIDE "ronda.tide/1"\n'
      "typedef struct ronda_tide_1 { uint32_t size, reserved; int64_t (*next)(const ronda_inst *inst) RONDA_NOEXCEPT; } ronda_tide_1;")
      + "#define RONDA_SERVICE_CLOCK")],
     ["1.1 struct ronda_tide_1 size 16 align 8", "1.1 member ronda_tide_1.size at 0 size 4 unsigned int",
      "1.1 member ronda_tide_1.reserved at 4 size 4 unsigned int", "1.1 member ronda_tide_1.next at 8 size 8 long (*)(ronda_inst const*)",
      '1.1 id RONDA_SERVICE_TIDE "ronda.tide/1"']),
]

SAME = [
    ("a minor without news", [RAISE_MINOR]),
    ("other comments and white space", [(pattern(r"/\*.*?\*/"), ""), ("  ", "      ")]),
    ("a parameter gets another name", [("int64_t ttl_ns", "int64_t life_ns")]),
]


class Copy:
    """The headers and the golden in a directory of their own, with changes."""

    def __init__(self, changes=()):
        self.dir = tempfile.mkdtemp()
        self.include, self.abi = os.path.join(self.dir, "include"), os.path.join(self.dir, "abi")
        os.makedirs(os.path.join(self.include, "ronda"))
        for name in ("abi.h", "version.h"):
            shutil.copy(os.path.join(INCLUDE_DIR, "ronda", name), os.path.join(self.include, "ronda", name))
        shutil.copytree(ABI_DIR, self.abi, ignore=lambda _, names: set(names) - {"layout.golden", "HISTORY"})
        for old, new in changes:
            self.change(old, new)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.dir)

    def change(self, old, new):
        found = 0
        for name in ("abi.h", "version.h"):
            path = os.path.join(self.include, "ronda", name)
            text = abi_gate.read_text(path)
            changed, count = old.subn(new, text) if isinstance(old, re.Pattern) else (text.replace(old, new), text.count(old))
            found += count
            with open(path, "w", encoding="utf-8") as file:
                file.write(changed)
        assert found, f"nothing to change: {old}"

    def edit(self, name, old, new):
        path = os.path.join(self.abi, name)
        text = abi_gate.read_text(path)
        assert old in text, old
        with open(path, "w", encoding="utf-8") as file:
            file.write(text.replace(old, new))

    def check(self):
        return abi_gate.check(self.include, self.abi, CXX)

    def accept(self, why, **how):
        return abi_gate.accept(self.include, self.abi, why, today="2099-01-01", **how)


class GateTest(unittest.TestCase):
    def test_bad_headers_are_broken(self):
        for name, changes, part in BROKEN:
            with self.subTest(name), Copy(changes) as copy:
                verdict = copy.check()
                self.assertEqual(verdict.word, "broken", name)
                self.assertTrue(any(part in sentence for sentence in verdict.broken), f"{name}: {verdict.broken}")

    def test_accept_writes_nothing_for_what_is_no_append(self):
        for changes, how in (([("  int32_t cancel_fd;", "  uint32_t cancel_fd;")], {}),
                             ([RAISE_MINOR, (CALL_END, CALL_END + guarded("  uint32_t extra;"))], {"also_breaks": True})):
            with Copy(changes) as copy:
                self.assertNotEqual(copy.accept("it: is wanted", **how), [])
                now, before = (abi_gate.read_text(os.path.join(d, "HISTORY")) for d in (copy.abi, ABI_DIR))
                self.assertEqual(now, before)

    def test_appends_are_named_and_pass_once_accepted(self):
        for name, changes, lines in APPEND:
            with self.subTest(name), Copy(changes) as copy:
                verdict = copy.check()
                self.assertEqual((verdict.word, verdict.broken), ("append", []), name)
                self.assertEqual([str(line) for line in verdict.appended], lines)
                self.assertEqual(copy.accept("one more: somebody needs it"), [])
                self.assertEqual(copy.check().word, "same")

    def test_what_changes_no_layout_is_the_same(self):
        for name, changes in SAME:
            with self.subTest(name), Copy(changes) as copy:
                verdict = copy.check()
                self.assertEqual((verdict.word, verdict.broken), ("same", []), name)

    def test_a_golden_written_over_does_not_pass_without_history(self):
        with Copy([("  int32_t cancel_fd;", "  uint32_t cancel_fd;")]) as copy:
            copy.edit("layout.golden", "ronda_call.cancel_fd at 24 size 4 int", "ronda_call.cancel_fd at 24 size 4 unsigned int")
            self.assertIn("the golden's lines of 1.0 have the digest", copy.check().broken[0])
        with Copy([("  int32_t cancel_fd;", "  uint32_t cancel_fd;")]) as copy:
            self.assertEqual(copy.accept("cancel_fd unsigned: it never was negative", also_breaks=True), [])
            self.assertEqual(copy.check().word, "same")
            self.assertRegex(abi_gate.read_text(os.path.join(copy.abi, "HISTORY")), r"\n2099-01-01 1\.0 \w{16} cancel_fd unsigned: ")

    def test_history_needs_date_what_and_why(self):
        for old, new in (("2026-", "26-"), ("first layout: ", "first layout, "), ("2026-11-24", "2026-11-31"), (" 1.0 ", " 1.7 ")):
            with self.subTest(new), Copy() as copy:
                copy.edit("HISTORY", old, new)
                self.assertEqual(copy.check().word, "broken")
        with Copy() as copy:
            self.assertEqual(copy.accept("no reason"), ["say it as 'what: why'"])

    def test_a_header_that_does_not_compile_has_no_layout(self):
        with Copy([("uint64_t len;", "uint65_t len;")]) as copy:
            self.assertRaises(HeaderError, copy.check)

    def test_every_compiler_sees_one_layout(self):
        first = read_layout(INCLUDE_DIR, CXX).lines
        for other in ("g++", "clang++-14"):
            if shutil.which(other):
                self.assertEqual(read_layout(INCLUDE_DIR, other).lines, first)


@unittest.skipUnless(shutil.which("abidiff") and shutil.which("gcc"), "there is no abidiff or no gcc")
class WitnessTest(unittest.TestCase):
    DUMP = os.path.join(ABI_DIR, "ronda-1.abi")

    def test_sees_what_changes_types_or_places(self):
        seen = ("two members change places", "two functions of one type change places", "a member in the middle", "a member is gone",
                "signed becomes unsigned", "an integer becomes a double of its size", "a parameter has another type", "a parameter less",
                "another return type", "an append that every plugin sees")
        cases = {name: changes for name, changes, _ in BROKEN}
        for name in seen:
            with self.subTest(name), Copy(cases[name]) as copy:
                self.assertIn("changed", abi_witness.difference(copy.include, self.DUMP, "gcc"))

    def test_knows_the_header_again(self):
        with Copy(SAME[1][1]) as copy:
            self.assertEqual(abi_witness.difference(copy.include, self.DUMP, "gcc"), "")


if __name__ == "__main__":
    unittest.main()
