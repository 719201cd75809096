#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Calls that are dangerous wherever they stand, and the few places that may make them.

dangers.py ROOT          every other place as FILE:LINE: text; exit 1 when there is one
dangers.py --self-test   plants one of each and wants it found
"""
import pathlib
import re
import sys
import tempfile

OWN_CHILDREN = {
    "agent/config/parse_child.cpp", "agent/runner/exec.cpp", "agent/runner/keeper.cpp", "agent/runner/main.cpp",
    "agent/plugin/runner_link.cpp", "agent/plugin/runner_process.cpp", "agent/plugin/vet_child.cpp", "agent/cli/plugin_child.cpp", "agent/cli/wrap.cpp",
    "sdk/include/ronda/testing/exec.hpp",
}
# What, why it is dangerous, who may: each of these was looked at.
RULES = [
    (r"::(kill|killpg|tgkill)\s*\(|SYS_(tgkill|pidfd_send_signal)",
     "signals go to one's own children, never to a number that was read somewhere",
     OWN_CHILDREN | {"agent/runner/crash.cpp", "agent/plugin/cgroup_files.cpp",
                     "agent/runner/programs.cpp"}),  # by the plugin's own process, with no more rights than the plugin has
    (r"\b(system|popen|execlp|execvp|execvpe|posix_spawnp|wordexp)\s*\(", "no shell and no search in PATH", {"agent/cli/wrap.cpp"}),
    (r"\b(chown|lchown|fchownat)\s*\(", "a path can be swapped before root gives it away", set()),
    (r"\bSCM_RIGHTS\b", "no descriptors come from a runner or over the socket", set()),
    (r"\b(mktemp|tmpnam|tempnam)\s*\(", "a name that somebody else can take first", set()),
    (r'"[^"]*/(exe|cwd|environ|root)"', "what another process says of itself is never opened, run or interpreted", set()),
]
SOURCES = {".cpp", ".hpp", ".c", ".h"}
COMMENT = re.compile(r"//.*")
OWN_PROGRAM = '"/proc/self/exe"'


def breaches(root):
    for part in ("agent", "plugins", "sdk/include"):
        for path in sorted((root / part).rglob("*")):
            if path.suffix not in SOURCES:
                continue
            name = path.relative_to(root).as_posix()
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
                line = COMMENT.sub("", line).replace(OWN_PROGRAM, "")
                for pattern, why, allowed in RULES:
                    if name not in allowed and re.search(pattern, line):
                        yield f"{name}:{number}: {why}: {line.strip()}"


def unused(root):
    """A place that may and does not is one that nobody looks at any more."""
    for pattern, _, allowed in RULES:
        for name in sorted(allowed):
            path = root / name
            if not path.is_file() or not re.search(pattern, path.read_text(encoding="utf-8")):
                yield f"{name} needs no leave for {pattern}"


def self_test():
    planted = ["::kill(pid, SIGTERM);", "::syscall(SYS_tgkill, 1, 1, 9);", 'system("ls");', '::execvp("ls", argv);', "::chown(path, 1, 1);",
               "SCM_RIGHTS", "::mktemp(name);", 'open(base + "/exe");', 'read("/proc/self/environ");']
    harmless = ["// kill(pid)", '"/proc/self/exe"', "overkill(1)", "file_system(path)", 'read(base + "/stat");', "worker_kill_(1)"]
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        for part in ("agent", "plugins", "sdk/include"):
            (root / part).mkdir(parents=True)
        for line, wanted in [(line, 1) for line in planted] + [(line, 0) for line in harmless]:
            (root / "plugins/x.cpp").write_text(line + "\n", encoding="utf-8")
            found = list(breaches(root))
            if len(found) != wanted:
                sys.exit(f"self-test: {line!r} gives {found}")
    print("each planted danger is found, nothing else is")


def main():
    if sys.argv[1:] == ["--self-test"]:
        return self_test()
    root = pathlib.Path(sys.argv[1])
    found = list(breaches(root)) + list(unused(root))
    print("\n".join(found) or "no danger outside of its place")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
