#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# tools.sh PLUGIN README: what the tools for authors say of a plugin that ships. Nothing to correct, every rule of the
# contract holds, the README has the options that the manifest has, and its example of a configuration is one.
set -euo pipefail
file=$1 readme=$2
here=$(dirname "${BASH_SOURCE[0]}")
ronda=${RONDA_BIN:-build/dev/bin}/ronda
plugins=${RONDA_PLUGINS:-build/dev/plugins}
scratch=$(mktemp -d "${TMPDIR:-/tmp}/ronda-tools.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
# shellcheck source=tests/support/expect.sh
. "$here/../../support/expect.sh"

expect 0 "$ronda" plugin lint "$file"
expect_out 'nothing to correct'
expect 0 "$ronda" plugin test "$file"
cp "$readme" "$scratch/README.md"
expect 0 "$ronda" plugin docs "$file" --into "$scratch/README.md"
expect 0 cmp "$readme" "$scratch/README.md"

# the example, with what it refers to
mkdir "$scratch/conf.d" "$scratch/secrets"
awk '/^```toml/ { on = 1; next } /^```/ { on = 0 } on' "$readme" | sed "s|/etc/ronda/secrets|$scratch/secrets|" >"$scratch/conf.d/10.toml"
for name in hook-url slack; do printf 'https://hooks.example.com/services/T0/B0/x' >"$scratch/secrets/$name"; done
for name in hook-key slack-token pagerduty twilio; do printf '0123456789abcdef0123456789abcdef' >"$scratch/secrets/$name"; done
chmod 600 "$scratch"/secrets/*
expect 0 "$ronda" validate --plugins "$plugins" --trust "$scratch/none" --config "$scratch/conf.d"
sed -i '0,/^use .*/s//&\nno_such_option = 1/' "$scratch/conf.d/10.toml"
expect 1 "$ronda" validate --plugins "$plugins" --trust "$scratch/none" --config "$scratch/conf.d"
expect_err no_such_option
expect_end
