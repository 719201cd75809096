#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# ronda rules test, as people run it: no agent, no plugin, no root.
set -euo pipefail
here=$(dirname "${BASH_SOURCE[0]}")
ronda=${RONDA_BIN:-build/dev/bin}/ronda
scratch=$(mktemp -d "${TMPDIR:-/tmp}/ronda-rules.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
# shellcheck source=tests/support/expect.sh
. "$here/../support/expect.sh"

mkdir "$scratch/conf.d"
cat >"$scratch/conf.d/10.toml" <<'END'
[check.api]
use = "http.request"
url = "${env:NOWHERE}/status"
every = "30s"
timeout = "10s"

[alert.errors]
p1 = "api.error_rate > 5%"
p2 = "api.error_rate > 1%"
for = { p1 = "1m", p2 = "5m" }
END
cat >"$scratch/good.toml" <<'END'
conf = "conf.d"

[[test]]
name = "six per cent page after a minute"
[[test.series]]
check = "api"
metric = "error_rate"
every = "30s"
values = ["0% x4", "6% x10", "0% x2"]
[[test.expect]]
at = "2m59s"
alert = "errors"
level = "none"
[[test.expect]]
at = "3m"
alert = "errors"
level = "p1"
[[test.expect]]
at = "7m"
alert = "errors"
level = "none"
fired = 1
END

# ---- all holds; what is wrong with checks is no business of rules, and said ----------------------
expect 0 "$ronda" rules test "$scratch/good.toml"
expect_out 'good.toml: 1 test, 3 expectations: all hold'
expect_err "conf has 1 error in what is no alert ('ronda validate' shows them)"

# ---- a difference, at its place ------------------------------------------------------------------
sed 's/at = "3m"/at = "2m30s"/' "$scratch/good.toml" >"$scratch/early.toml"
expect 1 "$ronda" rules test "$scratch/early.toml"
expect_out 'early.toml: 1 test, 3 expectations: 1 test failed'
expect_err 'early.toml:17:9: error: six per cent page after a minute: alert errors at 2m30s has level none, expected p1'
expect_err '  level = "p1"'
expect 1 "$ronda" rules test "$scratch/good.toml" "$scratch/early.toml"
expect 1 "$ronda" rules test "$scratch/early.toml" --output json
expect_out '"failed":1'
expect_out '"line":17'
expect 0 "$ronda" --output json rules test "$scratch/good.toml"
expect_out '"failed":0,"errors":[],"differences":[]'

# ---- what is wrong: 2 ----------------------------------------------------------------------------
sed 's/error_rate > 5%/error_rate > 5% an/' "$scratch/conf.d/10.toml" >"$scratch/conf.d/20.toml"
mv "$scratch/conf.d/20.toml" "$scratch/conf.d/10.toml"
expect 2 "$ronda" rules test "$scratch/good.toml"
expect_err 'conf.d/10.toml:8:27: error: `p1`: nothing more is expected here; two conditions are joined by `and` or `or`'
expect_err '                            ^'
for words in 'rules' 'rules test' 'rules tset x' 'rules test nowhere.toml' "rules test $scratch"; do
  # shellcheck disable=SC2086
  expect 2 "$ronda" $words
  [ -n "$err" ] || expect_fail "ronda $words says why"
done
# ---- backtest: what is asked for is judged before the agent is ---------------------------------------
for words in 'backtest errors --since yesterday' 'backtest errors --since 1h --from 2026-01-01' 'backtest --from then' \
             'backtest erorrs' 'backtest slo/api' 'backtest --from 2026-01-02T00:00Z --to 2026-01-01T00:00Z'; do
  # shellcheck disable=SC2086
  expect 2 "$ronda" --config "$scratch/conf.d" rules $words
  [ -n "$err" ] || expect_fail "ronda rules $words says why"
done

echo 'conf = "nowhere"' >"$scratch/lost.toml"
expect 2 "$ronda" rules test "$scratch/lost.toml"
expect_err 'lost.toml:1:8: error: '
echo '[[test' >"$scratch/torn.toml"
expect 2 "$ronda" rules test "$scratch/torn.toml"
expect_err 'torn.toml:1:7: error: '

# ---- help and completion -------------------------------------------------------------------------
expect 0 "$ronda" rules --help
expect_out 'usage: ronda rules list | test FILE ...'
expect 0 "$ronda" completion bash
expect_out "rules) words='list test backtest "
expect_end
