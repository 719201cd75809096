#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The example drop-ins of conf.d are valid as they are, without any variable of the environment, and what they show
# is not switched off behind a reader's back.
set -euo pipefail
here=$(dirname "${BASH_SOURCE[0]}")
examples=$(cd "$here/../../conf.d" && pwd)
ronda=${RONDA_BIN:-build/dev/bin}/ronda
plugins=${RONDA_PLUGINS:-build/dev/plugins}
scratch=$(mktemp -d "${TMPDIR:-/tmp}/ronda-examples.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
# shellcheck source=tests/support/expect.sh
. "$here/../support/expect.sh"

validate() { env -i "$ronda" validate --plugins "$plugins" --trust "$scratch/none" --config "$@"; }

expect 0 validate "$examples"
expect_out 'valid: 5 files'
expect_out ' 0 errors'
# the only warning: in this version a check has nobody to tell
warnings=$(grep -c ': warning: ' <<<"$err" || true)
nobody=$(grep -c "neither .severity. nor an alert" <<<"$err" || true)
expect_count=$((expect_count + 1))
[ "$warnings" = "$nobody" ] || expect_fail 'the examples have no other warning'

# every plugin that ships has an example
for id in exec heartbeat host http postgresql; do
  expect_count=$((expect_count + 1))
  grep -qE "^use += \"$id\." "$examples"/*.toml || expect_fail "an example uses plugin $id"
done

# and each reference to the environment is really read: a broken value is found in each file that has one
cp "$examples"/*.toml "$scratch"
expect 0 validate "$scratch"
expect 1 env -i API_BASE='not a url' "$ronda" validate --plugins "$plugins" --trust "$scratch/none" --config "$scratch"
expect_err '30-web.toml:'
expect 1 env -i SHOP_ERROR_LOG=relative "$ronda" validate --plugins "$plugins" --trust "$scratch/none" --config "$scratch"
expect_err '10-host.toml:'
# a mistake in an example would be seen
sed -i 's/^at_least = /at_leest = /' "$scratch/10-host.toml"
expect 1 validate "$scratch"
expect_err 'at_least'

# README's example of a configuration is one: valid as it stands, once what it refers to is there
rm "$scratch"/*.toml
printf 'host=127.0.0.1 user=ronda' >"$scratch/db"
chmod 600 "$scratch/db"
awk '/^```toml/ { on = 1; next } /^```/ { if (on) exit } on' "$here/../../README.md" >"$scratch/readme.toml"
sed -i "s|/etc/ronda/secrets/db|$scratch/db|" "$scratch/readme.toml"
expect 0 env -i API_BASE=https://api.example.com "$ronda" validate --plugins "$plugins" --trust "$scratch/none" --config "$scratch"
expect_out 'valid: 1 file, 2 checks, 1 task, 0 notifiers, 5 plugins'
expect 1 validate "$scratch"
expect_err 'API_BASE'

# what a manifest can say is refused without running the plugin, with the key and its line
rm "$scratch"/*.toml
refused() {  # KEY OBJECT
  printf '[check.x]\nevery = "1m"\nseverity = "p3"\n%s\n' "$2" >"$scratch/x.toml"
  expect 1 validate "$scratch"
  expect_err "$1"
}
taken() {
  printf '[check.x]\nevery = "1m"\nseverity = "p3"\n%s\n' "$1" >"$scratch/x.toml"
  expect 0 validate "$scratch"
}
request='use = "http.request"'
refused 'url' "$request"$'\nurl = "ftp://x"'
taken "$request"$'\nurl = "HTTPS://x/"\nmethod = "PURGE"'
refused 'steps' $'use = "http.scenario"\nsteps = [{ url = "file:///etc/passwd" }]'
expect_end
