#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs the tests of runners twice at once: with PID namespaces, and where runners share the host's process numbers, as those of plugins
# with the grant exec do. They wait most of the time; in another order, what wants a processor seldom meets its like. Those that hold
# somebody to a time come after that, by themselves.
# both_ways.sh TEST_RUNNERS
set -uo pipefail
test_runners=$1
host_pids=$(mktemp)
trap 'rm -f "$host_pids"' EXIT
RONDA_TEST_HOST_PIDS=1 "$test_runners" --order lex '[plugin]~[alone]' >"$host_pids" 2>&1 &
other=$!
outcome=0
"$test_runners" '[plugin]~[alone]' || outcome=1
wait "$other" || outcome=1
"$test_runners" '[alone]' || outcome=1
echo '== the same with the process numbers of the host'
cat "$host_pids"
RONDA_TEST_HOST_PIDS=1 "$test_runners" '[alone]' || outcome=1
exit $outcome
