#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds and runs the tests: ./dev test [NAME-REGEX] [--long]. Called by ./dev, which has installed what is needed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

long=
pattern=.
for word in "$@"; do
  case "$word" in
    --long) long=yes ;;
    *) pattern=$word ;;
  esac
done

launcher=()
command -v ccache >/dev/null && launcher=(-DCMAKE_C_COMPILER_LAUNCHER=ccache -DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
[ -f build/dev/build.ninja ] || cmake --preset dev "${launcher[@]}" >/dev/null
cmake --build build/dev

ctest --test-dir build/dev --output-on-failure --no-tests=error -j2 -R "$pattern" -LE long
[ -z "$long" ] || ctest --test-dir build/dev --output-on-failure -R "$pattern" -L long
