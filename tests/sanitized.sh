#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The unit tests and 100,000 mutated plugin files under AddressSanitizer and UndefinedBehaviorSanitizer: builds the preset
# asan and runs the tests that start no agent. What needs minutes and clang 14; 77 with a reason where that is missing.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
command -v clang++-14 >/dev/null || { echo 'skipped: no clang++-14 (Debian: clang-14)'; exit 77; }

launcher=()
command -v ccache >/dev/null && launcher=(-DCMAKE_C_COMPILER_LAUNCHER=ccache -DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
[ -f build/asan/build.ninja ] || cmake --preset asan "${launcher[@]}" >/dev/null

# by binary: each may have cases of its own that are hidden in other builds
units=(base config sdk plugin runner_parts schedule store plugin_exec plugin_heartbeat plugin_host plugin_http postgresql_pure)
nice cmake --build build/asan --target "${units[@]/#/test_}"

export ASAN_OPTIONS=detect_leaks=1:strict_string_checks=1 UBSAN_OPTIONS=print_stacktrace=1
names=$(IFS='|' && echo "${units[*]}")
ctest --test-dir build/asan --output-on-failure --no-tests=error -R "^(${names})\$"
"$(find build/asan/tests -name test_plugin -type f)" '100,000 mutated files end in facts or a refusal'
