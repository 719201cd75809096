# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What a script test says about a command: sourced, not run. A failed expectation is printed and counted; expect_end
# turns the count into the exit code.

expect_failures=0
expect_count=0
out=  # of the last command: stdout, stderr
err=

expect_fail() {
  expect_failures=$((expect_failures + 1))
  printf 'FAILED: %s\n  exit %s\n  stdout: %s\n  stderr: %s\n' "$1" "${code:-}" "${out:0:2000}" "${err:0:2000}" >&2
}

# expect CODE COMMAND ...: runs it, keeps $out and $err, and wants this exit code
expect() {
  local wanted=$1 errors
  shift
  errors=$(mktemp "${TMPDIR:-/tmp}/ronda-expect.XXXXXX")
  code=0
  out=$("$@" 2>"$errors") || code=$?
  err=$(<"$errors")
  rm -f "$errors"
  expect_count=$((expect_count + 1))
  [ "$code" = "$wanted" ] || expect_fail "$* ends with $wanted"
}

# expect_out TEXT, expect_err TEXT: the last command wrote it there
expect_out() { expect_count=$((expect_count + 1)); [[ $out == *"$1"* ]] || expect_fail "stdout has: $1"; }
expect_err() { expect_count=$((expect_count + 1)); [[ $err == *"$1"* ]] || expect_fail "stderr has: $1"; }
expect_no_out() { expect_count=$((expect_count + 1)); [[ $out != *"$1"* ]] || expect_fail "stdout has not: $1"; }
expect_no_err() { expect_count=$((expect_count + 1)); [[ $err != *"$1"* ]] || expect_fail "stderr has not: $1"; }
# expect_like REGEX: some line of stdout is all of it
expect_like() { expect_count=$((expect_count + 1)); grep -qxE -- "$1" <<<"$out" || expect_fail "a line of stdout is like: $1"; }
# expect_soon SECONDS COMMAND ...: succeeds within that time
# shellcheck disable=SC2154  # live_dir is of live.sh
expect_soon() {
  expect_count=$((expect_count + 1))
  live_wait "$@" || { out=; err=$(tail -n 30 "$live_dir/agent.log" 2>/dev/null || true); expect_fail "within $1 s: ${*:2}"; }
}

expect_end() {
  if [ "$expect_failures" -gt 0 ]; then
    echo "$expect_failures of $expect_count expectations failed" >&2
    exit 1
  fi
  echo "$expect_count expectations hold"
}
