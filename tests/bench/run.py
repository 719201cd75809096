# SPDX-License-Identifier: Apache-2.0
"""Measures the built release against limit programs, in turns within one run; medians of several rounds.

A limit program does only the bare thing at the same pace. Where it takes more than twice what it took on the machine
that the `must` column was made on, the row is void: this machine is too busy, or another, to judge absolutes."""
import argparse
import os
import subprocess
import sys
import time

import rows_exec
import rows_kept
import rows_size
import rows_told
from processes import machine
from report import table
from world import World

ROWS = {
    "exec": rows_exec.row_exec,
    "exec-max": rows_exec.row_exec_max,
    "http": rows_kept.row_http,
    "http-max": rows_kept.row_http_max,
    "postgresql": rows_kept.row_postgresql,
    "trivial": rows_kept.row_trivial,
    "lateness-1000": rows_exec.row_lateness_1000,
    "lateness-10000": rows_exec.row_lateness_10000,
    "reload": rows_exec.row_reload,
    "message": rows_told.row_message,
    "commit": rows_told.row_commit,
    "storm": rows_told.row_storm,
    "year": rows_told.row_year,
    "validate": rows_size.row_validate,
    "memory-10000": rows_size.row_memory_10000,
    "memory-100000": rows_size.row_memory_100000,
    "idle": rows_size.row_idle,
    "idle-exec": rows_exec.row_idle_exec,
    "start": rows_exec.row_start,
}
RESULTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "RESULTS.md")


def parse(arguments):
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="rows to measure; none: all of " + ", ".join(ROWS))
    parser.add_argument("--build", default="build/release", help="where the release was built (build/release)")
    parser.add_argument("--rounds", type=int, default=3, help="turns of limit and agent a row (3)")
    parser.add_argument("--quick", action="store_true", help="one round with short windows, for a look")
    parser.add_argument("--keep", action="store_true", help="keep logs and configurations")
    options = parser.parse_args(arguments)
    for name in options.names:
        if name not in ROWS:
            parser.error(f"no row is named {name}; the rows are {', '.join(ROWS)}")
    return options


def compiler(build):
    with open(os.path.join(build, "CMakeCache.txt")) as cache:
        path = [line.split("=", 1)[1].strip() for line in cache if line.startswith("CMAKE_CXX_COMPILER:")][0]
    return subprocess.run([path, "--version"], check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()[0]


def heading(build, rounds, loads):
    facts = machine()
    return (f"{time.strftime('%Y-%m-%d %H:%M UTC', time.gmtime())} · {facts['processor']}, {facts['cores']} cores · "
            f"{facts['system']}, kernel {facts['kernel']} · {compiler(build)} · medians of {rounds} rounds · "
            f"load before and after {loads[0]:.1f}, {loads[1]:.1f}")


def write_results(text):
    with open(RESULTS, "w") as file:
        file.write("# Measured\n\nWritten by `./dev bench`. `limit` is a small program that does only the bare thing, in turns with the\n"
                   "agent in the same run; `ratio` is ours against it. `void`: the limit itself took more than twice what it\n"
                   "took where `must` was set: this machine was busy, or is of another kind, and the absolute figure says\n"
                   "little; the ratio does.\n\n" + text + "\n")


def main():
    options = parse(sys.argv[1:])
    rounds = 1 if options.quick else options.rounds
    world = World(options.build, rounds, 0.4 if options.quick else 1, options.keep)
    load, rows, unmeasured = os.getloadavg()[0], [], []
    try:
        for name in options.names or ROWS:
            print(f"{time.strftime('%H:%M:%S')} {name} ...", file=sys.stderr, flush=True)
            try:
                rows += ROWS[name](world)
            except (RuntimeError, OSError, subprocess.CalledProcessError) as error:
                unmeasured.append(f"{name}: not measured: {error}")
                print(unmeasured[-1], file=sys.stderr, flush=True)
    finally:
        world.close()
    text = heading(options.build, rounds, (load, os.getloadavg()[0])) + "\n\n" + table(rows)
    text += "".join(f"\n\n{line}" for line in unmeasured)
    print(text)
    if not options.names and not options.quick:
        write_results(text)
    # void is no failure of ours, and no proof either: the table says so
    return 0 if rows and not unmeasured and all(row.verdict().endswith("holds") for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
