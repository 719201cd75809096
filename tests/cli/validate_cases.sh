#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# tests/cases/validate/*.case: what `ronda validate` says of a conf.d, and that an agent that is asked to load it says the
# same. RONDA_WRITE_CASES=1 prints what came out: read it before it goes into "expect".
set -euo pipefail
here=$(dirname "${BASH_SOURCE[0]}")
# shellcheck source=tests/support/live.sh
. "$here/../support/live.sh"
# shellcheck source=tests/support/expect.sh
. "$here/../support/expect.sh"

# unpack FILE: a directory for each case, with conf.d, title and expect
unpack() {
  awk -v to="$live_dir/cases" '
    /^=== / { number++; into = ""; dir = to "/" number; system("mkdir -p " dir "/conf.d"); print substr($0, 5) > (dir "/title"); next }
    /^--- / { into = dir "/" ($2 == "file" ? "conf.d/" $3 : $2); printf "" > into; next }
    into != "" { print > into }' "$1"
}

# errors_of: lines of stdin that tell an error, without the directory and the word
errors_of() { sed -n "s|^.*$live_dir/conf\.d/\(.*\)|\1|p" | sed 's/: error: /: /' | sort; }

mkdir -p "$live_dir/conf.d"
printf '[check.idle]\nuse = "exec.nagios"\ncommand = ["/bin/true"]\nevery = "1h"\n' >"$live_dir/conf.d/00-sound.toml"
live_agent
for file in "$here"/../cases/validate/*.case; do
  rm -rf "$live_dir/cases"
  unpack "$file"
  for case in "$live_dir/cases"/*/; do
    title=$(<"$case/title")
    cp "$case"/conf.d/*.toml "$live_dir/conf.d/"
    expect 1 live_ronda validate
    told=$(grep ': error: ' <<<"$err" | sed "s|^$live_dir/conf\.d/||")
    if [ -n "${RONDA_WRITE_CASES:-}" ]; then printf '%s\n' "$told"; fi
    expect_count=$((expect_count + 1))
    difference=$(diff "$case/expect" - <<<"$told") || { err=$difference; expect_fail "$title"; }
    : >"$live_dir/agent.log"
    expect 1 live_ronda reload
    expect_count=$((expect_count + 1))
    difference=$(diff <(sed 's/: error: /: /' "$case/expect" | sort) <(errors_of <"$live_dir/agent.log")) || { err=$difference; expect_fail "$title: a reload"; }
    for name in "$case"/conf.d/*.toml; do rm "$live_dir/conf.d/$(basename "$name")"; done
  done
done
# who is no user of this host is known to root alone, who starts runners as others
if [ "$(id -u)" = 0 ]; then
  printf '[check.late]\nuse = "http.reqest"\nuser = "nobody-of-this-host"\n' >"$live_dir/conf.d/10.toml"
  expect 1 live_ronda validate
  expect_err "10.toml:2:7: error: no plugin provides the check 'http.reqest'"
  expect_err '10.toml:1:8: error: there is no user "nobody-of-this-host" on this host'
fi
expect_end
