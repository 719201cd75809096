#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Static checks of the whole tree, as ./dev lint runs them: each says what it found, the last line what failed. Nothing
# is changed. Wants to be run in a git checkout, for it looks at the files that git knows.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

cppcheck_seconds=${RONDA_CPPCHECK_SECONDS:-600}
failed=()
files=$(mktemp "${TMPDIR:-/tmp}/ronda-lint.XXXXXX")
trap 'rm -f "$files"' EXIT

check() {  # check NAME COMMAND ...
  local name=$1
  shift
  printf -- '-- %s\n' "$name"
  "$@" || failed+=("$name")
}

sources() { git ls-files -- '*.cpp' '*.hpp'; }
scripts() { git ls-files | xargs grep -lIE '^(#!.*sh$|# shellcheck shell=)'; }

formatted() {
  sources | xargs -n 20 clang-format-14 --dry-run 2>&1 | sed -n 's/^\([^: ]*\):[0-9].*-Wclang-format-violations.*/\1/p' | sort -u >"$files"
  [ -s "$files" ] || return 0
  head -n 20 "$files"
  echo "$(wc -l <"$files") files are not as .clang-format has them; ./dev format changes them"
  return 1
}

cppcheck_of() {
  # headers come in by the sources; tests are left to the compiler
  timeout "$cppcheck_seconds" cppcheck --enable=warning,performance --std=c++20 --language=c++ --quiet -j 2 --inline-suppr \
    --suppressions-list=tests/cppcheck.suppress --template='{file}:{line}: {severity}: {message} [{id}]' --error-exitcode=1 \
    -I agent -I sdk/include agent plugins sdk/include && return
  [ $? != 124 ] || echo "cppcheck was cut off after $cppcheck_seconds s: not everything was looked at"
  return 1
}

shellcheck_of() { scripts | xargs shellcheck -x -S warning; }

# The tree speaks of itself alone: no path of a person's machine, nothing that was left to be sorted out.
words() {
  local found=0
  git grep -nIE '(^|[^A-Za-z0-9_./-])/(home|Users|work|mnt|media)/[A-Za-z0-9_.-]+/' -- . ':!LICENSE' ':!tests/lint.sh' ':!plugins/host/README.md' ':!tests/plugins/host' && found=1
  git grep -nE '\b(FIXME|XXX|HACK|TODO)\b' -- '*.cpp' '*.hpp' '*.h' '*.c' '*.sh' '*.py' '*.md' '*.toml' ':!tests/lint.sh' && found=1
  git grep -nE '^(<<<<<<<|>>>>>>>) ' && found=1
  [ $found = 0 ]
}

# What a test leaves out is said by skipped(), which tests/skips sees; a warning is seen by nobody.
skips() {
  ! git grep -nE '(WARN|cout|cerr).*"skipped|geteuid\(\) != 0\) return;' -- 'tests/*.cpp' 'tests/*.hpp' ':!tests/support/skip.hpp'
}

# A file that a reader can hold; the width of lines is clang-format's matter.
sizes() {
  sources | xargs wc -l | awk '$2 != "total" && $1 > 600 { print $2 ": " $1 " lines, more than 600"; bad = 1 } END { exit bad }'
}

# Templates and examples become somebody else's and carry no licence of ours.
licensed() {
  local found=0 file
  while read -r file; do
    head -n 3 "$file" | grep -q 'SPDX-License-Identifier: Apache-2.0' || { echo "$file: no SPDX line"; found=1; }
  done < <(git ls-files -- '*.cpp' '*.hpp' '*.h' '*.c' '*.sh' '*.py' '*.cmake' '*CMakeLists.txt' 'conf.d/*.toml' dev ':!sdk/template' ':!sdk/examples')
  [ $found = 0 ]
}

check 'order of the parts' python3 tests/cli/layering.py .
check 'what comes from outside' python3 tests/cli/ambient.py .
check 'words' words
check 'skips' skips
check 'sizes' sizes
check 'licences' licensed
check 'shellcheck' shellcheck_of
check 'clang-format' formatted
check 'cppcheck' cppcheck_of

if [ ${#failed[@]} -gt 0 ]; then
  echo "failed: ${failed[*]}"
  exit 1
fi
echo 'nothing to correct'
