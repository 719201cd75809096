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
expect_out 'valid: 12 files'
expect_out ' 0 errors'
# the only warnings: not every check has an alert, and nobody was filled in yet
expect_err '46-mail.toml:'
expect_err 'nobody beyond this host can be told anything: `mail`, `ops-slack`, `sms` lead to names'
warnings=$(grep -c ': warning: ' <<<"$err" || true)
nobody=$(grep -cE "neither .severity. nor an alert" <<<"$err" || true)
expect_count=$((expect_count + 1))
[ "$warnings" = $((nobody + 1)) ] || expect_fail 'the examples have no other warning'

# every object of them is in the effective configuration, as TOML that says the same
expect 0 env -i "$ronda" config show --plugins "$plugins" --trust "$scratch/none" --config "$examples"
while read -r object; do expect_out "$object"; done < <(grep -hoE '^\[[a-z]+(\.[a-z0-9-]+)?\]' "$examples"/*.toml | grep -v '^.defaults')

# every plugin that ships has an example
for id in exec heartbeat host http postgresql; do
  expect_count=$((expect_count + 1))
  grep -qE "^use += \"$id\." "$examples"/*.toml || expect_fail "an example uses plugin $id"
done

# the log files, once their marks are taken away as the file says: the room is told by them too
cp "$examples"/*.toml "$scratch"
sed -i -E 's/^# (\[notifier|use |path |format )/\1/' "$scratch/48-logs.toml"
sed -i -E '/^\[contact.ops-room\]/,/^$/{/^channels/d;s/^# (channels)/\1/}' "$scratch/50-people.toml"
expect 0 validate "$scratch"
expect_out 'valid: 12 files'
expect_out ' 5 notifiers'
expect 0 env -i "$ronda" escalation simulate p3 --plugins "$plugins" --trust "$scratch/none" --config "$scratch" --service backup --at 2026-12-24T12:00:00Z
expect_out 'ops-room (Operations room): ops-slack; alerts-log; notifications-log'
rm "$scratch"/*.toml

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
expect_out 'valid: 1 file, 2 checks, 1 task, 0 notifiers, 13 plugins'
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
# and what each plugin's create() would refuse, where the manifest has words for it: with the place of the value
refused "x.toml:5:12: error: 'command[0]' is \"ls\": the program must be an absolute path" $'use = "exec.nagios"\ncommand = ["ls", "-l"]'
printf '[task.x]\nuse = "exec.command"\ncommand = ["ls"]\n' >"$scratch/x.toml"
expect 1 validate "$scratch"
expect_err "x.toml:3:12: error: 'command[0]' is \"ls\": the program must be an absolute path"
echo s >"$scratch/s"
chmod 600 "$scratch/s"
refused "'command[1]' must not hold a secret" $'use = "exec.nagios"\ncommand = ["/bin/ls", "${file:'"$scratch/s"'}"]'
taken $'use = "exec.nagios"\ncommand = ["/bin/ls", "-l"]\nenv = { A = "${file:'"$scratch/s"'}" }'
refused "'expect' is \"sometimes\"; it must be a duration" $'use = "heartbeat.job"\nexpect = "sometimes"'
refused 'a duration must be longer than 0s' $'use = "heartbeat.job"\nexpect = "0s"'
for expect in 6h '*-*-* 02:00' 00:00 'Sun *-*-* 02:00 UTC' '1d12h'; do
  taken $'use = "heartbeat.job"\nexpect = "'"$expect"'"'
done
refused 'a file name alone' $'use = "host.process"\nname = "/usr/bin/nginx"'
url=$'\nurl = "https://x/"\n'
for status in 99999 600 '"6xx"' '"2x"' 200.5 true '[200, 99]'; do
  refused 'a code from 100 to 599' "$request${url}expect.status = $status"
done
for status in 200 '"2xx"' '"404"' '[200, "3xx"]'; do taken "$request${url}expect.status = $status"; done
for condition in '= 12' '=~ x' '! x' '==' '<' '< x' '< 5 parsecs' '> any(1, 2)'; do
  refused "'expect.json.a'" "$request${url}expect.json = { a = \"$condition\" }"
  refused "'expect.headers.a'" "$request${url}expect.headers = { a = \"$condition\" }"
done
for condition in '' 'ok' '== 12' '<5' '< 10 ms' '>= -1.5e3 MiB' '!~ ^a' '!' '!important' '!= any(a, b)' '> any(1)' 'grün'; do
  taken "$request${url}expect.json = { a = \"$condition\" }"
done
refused "'metrics.m.path' has 0 characters" "$request${url}metrics.m.path = \"\""
for path in 'a..b' 'a b' 'a[x]' 'a.' '[1'; do
  refused 'a path like' "$request${url}expect.json = { \"$path\" = 1 }"
  refused 'metrics.m.path' "$request${url}metrics.m.path = \"$path\""
done
for path in a '$' '$.a' .a '[0].b' 'a[-1]' 'len(a.b)' 'has($.a)' 'len()' 'a[\"b c\"].d' 'grün.a_b-c'; do
  taken "$request${url}expect.json = { \"$path\" = 1 }"
done
refused "key \"a b\" of 'headers'" "$request${url}headers = { \"a b\" = \"c\" }"
refused "'headers.a'" "$request${url}headers = { a = \"b\\r\\nc\" }"
taken "$request${url}headers = { X-a_1 = \"b\\tgrün\" }"
refused "'proxy'" "$request${url}proxy = \"ftp://p:1\""
for proxy in http://p:1 socks5h://p p:8080 '' 'user:pass@p:3128' '[::1]:80'; do taken "$request${url}proxy = \"$proxy\""; done
refused "'status_map.path' is missing" "$request${url}status_map.values = { a = \"ok\" }"
refused "'status_map.values' is missing" "$request${url}status_map.path = \"a\""
refused "'status_map.values.a' is \"fine\"" "$request${url}status_map = { path = \"a\", values = { a = \"fine\" } }"
taken "$request${url}status_map = { path = \"a\", values = { a = \"ok\" } }"
step() { printf 'use = "http.scenario"\nsteps = [{ url = "https://x/", extract = { %s } }]' "$1"; }
refused 'has none of json, regex, header' "$(step 'a = {}')"
refused 'has 2 of json, regex, header' "$(step 'a = { json = "b", header = "c" }')"
refused 'letters, digits and _ only' "$(step '"a-b" = { json = "b" }')"
taken "$(step 'a_1 = { json = "b" }')"
expect_end
