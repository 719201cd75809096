#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# skips.sh CTEST-OUTPUT CTEST-LOG: what was left out is said, and is no more than tests/skips allows.
set -euo pipefail
list=$(dirname "${BASH_SOURCE[0]}")/skips
when=user
[ "$(id -u)" != 0 ] || when=root
for controller in memory pids cpu freezer; do
  [ -w "/sys/fs/cgroup/$controller" ] || { when="$when|no-cgroup-v1"; break; }
done
[ -e /usr/sbin/exim4 ] || [ ! -e /usr/sbin/sendmail ] || when="$when|other-mailer"
mapfile -t skipped < <({
  sed -nE 's/^ *[0-9]+\/[0-9]+ Test +#[0-9]+: ([^ ]+) \.*\*\*\*Skipped .*/\1/p' "$1"
  grep -oE '^SKIPPED\([^)]*\)' "$2" | sed -E 's/^SKIPPED\((.*)\)$/\1/'
} | sort -u)
outcome=0
for name in "${skipped[@]}"; do
  if grep -qxE "$name (always|$when)" "$list"; then
    echo "left out: $name"
  else
    echo "left out, and tests/skips does not allow it: $name"
    outcome=1
  fi
done
exit "$outcome"
