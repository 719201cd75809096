#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Clock, chance, sleep and environment come into the agent through agent/base/ alone, and never into what is pure.

ambient.py ROOT          every other place as FILE:LINE: text; exit 1 when there is one
ambient.py --self-test   plants each in copies of a small tree and wants it found
"""
import re
import sys

sys.dont_write_bytecode = True  # this directory is a source tree
import tree_check  # noqa: E402

# What no file of agent/ but those of agent/base/ calls.
READS = {
    "the clock": r"\b(clock_gettime|gettimeofday|timespec_get|ftime|localtime|localtime_r|mktime)\s*\(|::now\s*\("
                 r"|(?<![\w>])(std)?::(time|clock)\s*\(|\btime\s*\(\s*(nullptr|NULL|0|&\s*\w+)\s*\)",
    "chance": r"\b(s?rand|rand_r|[de]rand48|getrandom|getentropy|arc4random\w*|RAND_bytes)\s*\(|\brandom_device\b|(?<![\w>])(std)?::random\s*\(",
    "sleep": r"\b(u?sleep|nanosleep|clock_nanosleep|sleep_for|sleep_until)\s*\(",
    "the environment": r"\b(secure_)?getenv\s*\(",
}
# Who may all the same, and why there is no other way. A new line here is a decision.
ALLOWED = {
    ("agent/cli/cli.cpp", "the environment"): "of the person at the terminal: NO_COLOR, TERM, RONDA_SOCKET",
    ("agent/cli/notify.cpp", "sleep"): "a client asks again after a while, and has no loop",
    ("agent/cli/status.cpp", "sleep"): "a client asks again after a while, and has no loop",
    ("agent/plugin/cgroups.cpp", "sleep"): "the loop has ended, and no event tells that the kernel has emptied a group",
    ("agent/plugin/contract_host.cpp", "sleep"): "a thread whose only work is to cancel a call after a while",
    ("agent/runner/keeper.cpp", "sleep"): "a process without a loop waits for those that it killed",
    ("agent/runner/pool.cpp", "sleep"): "the runner's loop has ended; its last calls have until a deadline",
}
# What base/ offers of these, and where it must not be used either: there the time and the bits are parameters.
OFFERED = re.compile(r"\b(boottime|monotonic|wall_clock|read_clock|random_bits)\s*\(")
PURE = re.compile(r"agent/(incident|measure|notify|response|rule|schedule)/")
SHELLS = re.compile(r"agent/(response/response\.cpp|schedule/(scheduler|prober|clock_watch)\w*\.[ch]pp)$")
# Strings go, so that what looks like a comment in one hides nothing after it; then comments.
TEXT = re.compile(r"\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])'|//.*|/\*.*?\*/")
SOURCES = {".cpp", ".hpp", ".c", ".h"}


def breaches(name, text, used):
    for number, line in enumerate(text.splitlines(), 1):
        line = TEXT.sub(" ", line)
        for what, pattern in READS.items():
            if not re.search(pattern, line):
                continue
            if (name, what) in ALLOWED:
                used.add((name, what))
            else:
                yield f"{name}:{number}: {what} is read in agent/base/ alone: {line.strip()}"
        if PURE.match(name) and not SHELLS.match(name) and OFFERED.search(line):
            yield f"{name}:{number}: this part is pure, what it needs to know is a parameter: {line.strip()}"


def check(root):
    out, used = [], set()
    for path in sorted((root / "agent").rglob("*")):
        name = path.relative_to(root).as_posix()
        if path.suffix in SOURCES and not name.startswith("agent/base/"):
            out += breaches(name, path.read_text(encoding="utf-8"), used)
    # who may and does not is a line that nobody looks at any more
    return out + [f"{name} needs no leave for {what}" for name, what in ALLOWED if (name, what) not in used]


SOUND = {name: {"the environment": 'getenv("TERM");', "sleep": "::nanosleep(&pause, nullptr);"}[what] for name, what in ALLOWED}
SOUND |= {
    "agent/base/clock.hpp": "::clock_gettime(clock, &now); std::time(nullptr); std::random_device bits;",
    "agent/schedule/scheduler.cpp": "const Nanos now = boottime();",
    "agent/config/parse_child.cpp": "const auto end = monotonic() + deadline;",
    "agent/incident/document.cpp": "const hh_mm_ss time(local - floor<days>(local)); body.time(i); ports_.random(); std::mt19937_64 random(seed);\n"
                                   "int operand(int); overslept(1); snow(); // time(nullptr) or sleep(1)\n"
                                   "std::int64_t time(std::size_t i) const; const char* c = \"getenv(\"; /* rand() */ char q = '\"'; f(100'000);",
}
PLANTED = ["time(nullptr);", "return time(0);", "x = std::time(&now);", "::time(nullptr);", "std::chrono::system_clock::now();",
           "Clock::now ();", "::clock_gettime(CLOCK_REALTIME, &now);", "gettimeofday(&now, nullptr);", "std::clock();", "localtime_r(&s, &tm);",
           "rand();", "srand(1);", "::random();", "std::random_device bits;", "::getrandom(&b, 8, 0);", "RAND_bytes(b, 8);", "sleep(1);",
           "::usleep(5);", "std::this_thread::sleep_for(1s);", "nanosleep(&t, nullptr);", 'std::getenv("HOME");', 'secure_getenv("HOME");',
           'f("http://a"); rand();', "f('\"'); sleep(1); g('\"');"]


def self_test():
    planted = [(f"{line} in {name}", {name: line}, lambda text, name=name: text.startswith(f"{name}:1: "))
               for line in PLANTED for name in ("agent/agent.cpp", "agent/incident/engine.cpp")]
    planted += [(f"{call}() in {name}", {name: f"x = {call}();"}, lambda text: "is pure" in text)
                for call in ("boottime", "wall_clock", "random_bits") for name in ("agent/schedule/timetable.cpp", "agent/response/desk.cpp")]
    name, what = next(iter(ALLOWED))
    planted += [("leave that is not needed", {name: "int x;"}, lambda text: text == f"{name} needs no leave for {what}"),
                ("leave for another thing", {name: 'getenv("TERM"); rand();'}, lambda text: "chance is read" in text)]
    return tree_check.self_test(check, SOUND, planted)


if __name__ == "__main__":
    sys.exit(tree_check.main(sys.argv[1:], __doc__, check, "nothing is read from outside but where it may be", "agent/agent.cpp", self_test))
