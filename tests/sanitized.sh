#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds a preset with sanitizers below a build directory and runs the tests that make sense there:
#   sanitized.sh asan DIRECTORY   the whole tree by clang 14 with warnings as errors; unit tests and 100,000 mutated plugin
#                                 files under AddressSanitizer and UndefinedBehaviorSanitizer
#   sanitized.sh tsan DIRECTORY   what has threads, under ThreadSanitizer
# 77 with the reason where there is no clang 14.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
preset=$1 into=$2/$1
command -v clang++-14 >/dev/null || { echo 'skipped: no clang++-14 (Debian: clang-14)'; exit 77; }

# by binary of the tests; left out, by preset, are:
#   runners*, sdk_museum_runner, scheduler, whole_*, cli_*, postgresql: they hold a runner to limits of memory, filters of
#     system calls and times that a build with a sanitizer cannot keep; plugin_http too: its servers need the time
#   schedule_oracle under tsan: one thread, and minutes
case "$preset" in
  asan) units=(base config sdk plugin runner_parts schedule schedule_oracle schedule_simulation store plugin_exec plugin_heartbeat plugin_host postgresql_pure api) ;;
  tsan) units=(base sdk store runner_parts) ;;
  *) echo "usage: sanitized.sh asan|tsan DIRECTORY"; exit 2 ;;
esac

launcher=()
command -v ccache >/dev/null && launcher=(-DCMAKE_C_COMPILER_LAUNCHER=ccache -DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
[ -f "$into/build.ninja" ] || cmake --preset "$preset" -B "$into" -DRONDA_WERROR=ON "${launcher[@]}" >/dev/null
if [ "$preset" = asan ]; then
  nice cmake --build "$into"
else
  nice cmake --build "$into" --target "${units[@]/#/test_}"
fi

export ASAN_OPTIONS=detect_leaks=1:strict_string_checks=1 UBSAN_OPTIONS=print_stacktrace=1
names=$(IFS='|' && echo "${units[*]}")
ctest --test-dir "$into" --output-on-failure --no-tests=error --timeout 600 -R "^(${names})\$"
[ "$preset" != asan ] || "$into/tests/agent/plugin/test_plugin" --warn NoTests '[mutated]'
