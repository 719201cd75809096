#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds and runs the tests: ./dev test [NAME-REGEX] [--long]. Called by ./dev, which has installed what is needed.
# A whole run with --long writes what it saw to tests/LONG.md.
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

seen=$(mktemp)
trap 'rm -f "$seen"' EXIT
run() {  # CTEST-OPTION ...
  local outcome=0
  ctest --test-dir build/dev --output-on-failure -j2 -R "$pattern" "$@" | tee "$seen" || outcome=$?
  tests/skips.sh "$seen" build/dev/Testing/Temporary/LastTest.log || outcome=1
  return "$outcome"
}

none=error  # a name may also be of long tests alone
[ -z "$long" ] || none=ignore
run --no-tests=$none -LE long
[ -n "$long" ] || exit 0

changed=$([ -z "$(git status --porcelain -uno)" ] || echo ' with local changes')
outcome=0
run -L long || outcome=$?
[ "$pattern" = . ] || exit "$outcome"
{
  echo '# The last run with --long'
  echo
  echo "$(date -u '+%Y-%m-%d %H:%M UTC'), commit $(git rev-parse --short=12 HEAD)$changed," \
    "$(sed -n 's/^PRETTY_NAME="\(.*\)"$/\1/p' /etc/os-release), Linux $(uname -r), $(nproc) cores, as $(id -un)."
  echo "Get it again with \`./dev test --long\`: all tests of \`./dev test\` passed before these."
  echo
  echo '| Test | Outcome | Seconds |'
  echo '|---|---|---|'
  # shellcheck disable=SC2016  # the backquotes are Markdown's
  sed -nE 's/^ *[0-9]+\/[0-9]+ Test +#[0-9]+: ([^ ]+) \.+[ *]*([A-Za-z][A-Za-z ()]*[A-Za-z)]) +([0-9.]+) sec.*/| `\1` | \2 | \3 |/p' "$seen"
} >tests/LONG.md
exit "$outcome"
