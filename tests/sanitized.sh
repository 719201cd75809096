#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds what it needs of a preset with sanitizers (clang 14, warnings as errors) below a directory and runs it:
#   sanitized.sh asan DIRECTORY   unit tests and 100,000 mutated plugin files, AddressSanitizer and UndefinedBehaviorSanitizer
#   sanitized.sh tsan DIRECTORY   the log's and the store's threads, ThreadSanitizer
# 77 with the reason where there is no clang 14.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
preset=${1:-} into=${2:-}/${1:-}
command -v clang++-14 >/dev/null || { echo 'skipped: no clang++-14 (Debian: clang-14)'; exit 77; }

# Not here, because they hold real runners to limits of memory, filters of system calls and times that a build with a sanitizer
# cannot keep: runners*, scheduler, sdk_museum_runner, whole_*, cli_*. Nor api, whose coroutines clang 14 cannot compile with
# AddressSanitizer ("Cannot represent a difference across sections"). Not tried yet under asan: postgresql with a server, plugin_host, the
# simulations of incidents; under tsan: the runner's own threads (pool, gate, link), which only its real program has.
case "$preset" in
  asan) units=(agent/base/base agent/config/config sdk/sdk agent/plugin/plugin agent/plugin/runner_parts agent/schedule/schedule
    agent/schedule/schedule_oracle agent/schedule/schedule_simulation agent/store/store agent/measure/measure agent/rule/rule
    agent/incident/people agent/incident/incident agent/notify/notify agent/response/response plugins/exec/plugin_exec
    plugins/heartbeat/plugin_heartbeat plugins/http/plugin_http plugins/outgoing/plugin_outgoing plugins/logfile/plugin_logfile
    plugins/command/plugin_command plugins/smtp/plugin_smtp plugins/postgresql/postgresql_pure plugins/sms/plugin_sms_text) ;;
  tsan) units=(agent/base/base agent/store/store) ;;
  *) echo "usage: sanitized.sh asan|tsan DIRECTORY"; exit 2 ;;
esac

# single cases that cannot hold
left_out() {
  case "$1" in
    config) echo "~a configuration that does not fit the child's memory*" ;;  # there is no limit of memory
    plugin) echo '~every plugin of this tree passes lint' ;;                   # its files lack the sanitizer's runtime
  esac
}

launcher=()
command -v ccache >/dev/null && launcher=(-DCMAKE_C_COMPILER_LAUNCHER=ccache -DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
[ -f "$into/build.ninja" ] || cmake --preset "$preset" -B "$into" -DRONDA_WERROR=ON "${launcher[@]}" >/dev/null
targets=()
for unit in "${units[@]}"; do targets+=("test_${unit##*/}"); done
nice cmake --build "$into" --target "${targets[@]}"

# a test of the store forks and opens a second one in the child
export ASAN_OPTIONS=detect_leaks=1:strict_string_checks=1 UBSAN_OPTIONS=print_stacktrace=1 TSAN_OPTIONS=die_after_fork=0
failed=0
run() {
  local began=$SECONDS
  echo "== $*"
  timeout 900 "$@" || failed=1
  echo "   $((SECONDS - began)) s"
}
for unit in "${units[@]}"; do
  mapfile -t without < <(left_out "${unit##*/}")
  run "$into/tests/${unit%/*}/test_${unit##*/}" --warn NoTests '~[.]' "${without[@]}"
done
[ "$preset" != asan ] || run "$into/tests/agent/plugin/test_plugin" --warn NoTests '[mutated]'
exit "$failed"
