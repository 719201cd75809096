#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# headers.sh INCLUDE_DIR: each public header compiles alone, without a warning, in the languages it promises, with every
# compiler that is here. No other include directory is given, so nothing of the agent can be needed.
# the flags are split into words on purpose
# shellcheck disable=SC2086,SC2089,SC2090
set -eu
include=$1
warnings="-Wall -Wextra -Wpedantic -Werror -Wshadow -Wconversion -Wold-style-cast -Wundef -Wnon-virtual-dtor"
failed=0 compiled=0

# compiles COMPILER LANGUAGE STANDARD HEADER: the header twice, as the first and only thing of a file
compiles() {
  flags="$warnings"
  [ "$2" = c++ ] || flags="-Wall -Wextra -Wpedantic -Werror -Wshadow -Wconversion -Wundef -Wstrict-prototypes"
  [ "$4" != ronda/manifest.h ] || flags="$flags -DRONDA_MANIFEST=\"x\""
  first=
  [ "$4" != ronda/testing_catch.hpp ] || first="#include <catch2/catch.hpp>"
  compiled=$((compiled + 1))
  printf '%s\n#include <%s>\n#include <%s>\nint main(void);\nint main(void) { return 0; }\n' "$first" "$4" "$4" |
    $1 -x "$2" -std="$3" $flags -fsyntax-only -I"$include" - || { echo "headers: $4 as $3 with $1" >&2; failed=1; }
}

cd "$include"
for compiler in g++ clang++-14; do
  command -v "$compiler" > /dev/null || { echo "headers: there is no $compiler" >&2; continue; }
  for header in ronda/abi.h ronda/version.h ronda/manifest.h ronda/plugin.hpp ronda/testing.hpp; do
    compiles "$compiler" c++ c++17 "$header"
    compiles "$compiler" c++ c++20 "$header"
  done
done
for compiler in gcc clang-14; do
  command -v "$compiler" > /dev/null || { echo "headers: there is no $compiler" >&2; continue; }
  for header in ronda/abi.h ronda/version.h ronda/manifest.h; do
    compiles "$compiler" c c11 "$header"
  done
done
# the parts of the two big headers: that each can stand alone is seen by one compiler
for header in $(find ronda -name '*.hpp' ! -name plugin.hpp ! -name testing.hpp | sort); do
  command -v g++ > /dev/null && compiles g++ c++ c++17 "$header"
done
[ "$compiled" -gt 0 ] || { echo "skipped: there is neither gcc nor clang-14"; exit 77; }
[ "$failed" = 0 ] || exit 1
echo "ok: $compiled"
