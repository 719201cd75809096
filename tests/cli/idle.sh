#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What is read and not acted on yet is said by validate, at its place
set -euo pipefail
here=$(dirname "${BASH_SOURCE[0]}")
ronda=${RONDA_BIN:-build/dev/bin}/ronda
plugins=${RONDA_PLUGINS:-build/dev/plugins}
scratch=$(mktemp -d "${TMPDIR:-/tmp}/ronda-idle.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
# shellcheck source=tests/support/expect.sh
. "$here/../support/expect.sh"

mkdir "$scratch/conf.d"
cat >"$scratch/conf.d/10.toml" <<'END'
[api]
listen = "127.0.0.1:7000"

[check.told]
use = "exec.nagios"
command = ["/bin/true"]
severity = "p1"
for = "5m"

[check.watched]
use = "exec.nagios"
command = ["/bin/true"]

[check.silent]
use = "exec.nagios"
command = ["/bin/true"]
changes = true

[task.moves]
use = "exec.command"
command = ["/bin/true"]
changes = false
severity = "p3"

[alert.one]
p1 = "watched.status == critical"

[report.daily]

[report.weekly]
END
file="$scratch/conf.d/10.toml"
expect 0 env -i "$ronda" validate --plugins "$plugins" --trust "$scratch/none" --config "$scratch/conf.d"
expect_out ' 0 errors'
expect_no_err '`listen`'
expect_err "$file:14:8: warning: check \`silent\` has neither \`severity\` nor an alert: when it fails, nobody is told"
expect_err "$file:14:8: warning: \`changes\` has no effect in this version"
expect_err "$file:28:9: warning: \`[report.*]\`, of which there are 2, has no effect in this version"
expect_count=$((expect_count + 1))
warnings=$(grep -c ': warning: ' <<<"$err" || true)
[ "$warnings" = 3 ] || expect_fail "three warnings, not $warnings"
expect_end
