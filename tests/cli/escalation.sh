#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# `ronda escalation simulate` and `ronda oncall show` without an agent: what they print, their JSON and their exit codes;
# and what `ronda validate` says of people.
set -euo pipefail
here=$(dirname "${BASH_SOURCE[0]}")
ronda=${RONDA_BIN:-build/dev/bin}/ronda
plugins=${RONDA_PLUGINS:-build/dev/plugins}
scratch=$(mktemp -d "${TMPDIR:-/tmp}/ronda-escalation.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
# shellcheck source=tests/support/expect.sh
. "$here/../support/expect.sh"

mkdir "$scratch/conf.d" "$scratch/plugins"
cp "$plugins/../tests/plugins/chaos.so" "$scratch/plugins"
cat >"$scratch/conf.d/10.toml" <<'END'
[agent]
tz = "Europe/Madrid"
last_resort = ["mail"]

[notifier.mail]
use = "chaos.notifier"
mode = "nothing"

[contact.ana]
name = "Ana"
channels = [{ notifier = "mail", to = "ana@shop.example" }]

[contact.bo]
channels = [{ notifier = "mail", to = "bo@shop.example" }]

[oncall.ops]
title = "Operations"
members = ["ana", "bo"]
shift = "1d"
handover = "09:00"

[escalation.default.p1]
steps = [
  { from = "0m", notify = ["ops"], repeat = ["15m", "1h"] },
  { from = "30m", notify = ["bo"], business = true },
]

[check.web]
use = "exec.nagios"
command = ["/bin/true"]
severity = "p1"

[service.shop]
checks = ["web"]
END
offline() { env -i "$ronda" "$@" --plugins "$scratch/plugins" --plugins "$plugins" --trust "$scratch/none" --config "$scratch/conf.d" --socket "$scratch/none"; }

expect 0 offline validate
expect 0 offline escalation simulate p1 --service shop --at '2026-12-24 03:00' --for 1h
wanted='P1 of service shop, detected Thu 2026-12-24 03:00:00 +0100, for 1h, never acknowledged
+0s  Thu 2026-12-24 03:00:00 +0100  default p1 step 1
  ana (Ana), on call by ops: mail ana@shop.example
+15m  Thu 2026-12-24 03:15:00 +0100  default p1 step 1 (repeat)
  ana (Ana), on call by ops: mail ana@shop.example
+30m  Thu 2026-12-24 03:30:00 +0100  default p1 step 2
  bo: mail bo@shop.example [notice]'
expect_count=$((expect_count + 1))
[ "$out" = "$wanted" ] || expect_fail "the table is $wanted"
expect 0 offline escalation simulate p1 --service shop --at '2026-12-24T02:00:00Z' --for 1h --output json
python3 - "$out" <<'PY' || expect_fail 'the JSON says the same'
import json, sys
got = json.loads(sys.argv[1])
assert got["detected"] == "2026-12-24T02:00:00.000Z" and got["level"] == "p1" and got["service"] == "shop" and got["cut"] is False
first, second, third = got["told"]
assert first["after"] == "0s" and first["how"] == "people" and first["due"][0]["targets"] == ["ops"]
assert first["recipients"] == [{"contact": "ana", "via": "on call by ops", "business": False, "fallback": [],
                                "channels": [{"notifier": "mail", "to": "ana@shop.example", "held_until": None}]}]
assert second["due"][0]["why"] == "repeat" and third["recipients"][0]["business"] is True
PY
# somebody takes it: the notice is sent all the same
expect 0 offline escalation simulate p1 --at '2026-12-24 03:00' --for 2h --ack 5m
expect_out 'acknowledged after 5m'
expect_no_out 'repeat'
expect_out 'bo: mail bo@shop.example [notice]'
# a level without a ladder
expect 0 offline escalation simulate p3 --at '2026-12-24 03:00'
expect_out 'everybody on mail ana@shop.example'
expect_out '-- last-resort'

expect 0 offline oncall show --at '2026-12-24 03:00' --days 2
wanted='ops - Operations, Europe/Madrid
  Thu 2026-12-24 03:00:00 +0100  to  Thu 2026-12-24 09:00:00 +0100  ana (Ana)
  Thu 2026-12-24 09:00:00 +0100  to  Fri 2026-12-25 09:00:00 +0100  bo
  Fri 2026-12-25 09:00:00 +0100  to  Sat 2026-12-26 03:00:00 +0100  ana (Ana)'
expect_count=$((expect_count + 1))
[ "$out" = "$wanted" ] || expect_fail "the rota is $wanted"
expect 0 offline oncall show ops --at '2026-12-24 03:00' --days 1 --output json
python3 - "$out" <<'PY' || expect_fail 'the rota as JSON'
import json, sys
(got,) = json.loads(sys.argv[1])
assert got["name"] == "ops" and got["zone"] == "Europe/Madrid" and got["on_call"] == ["ana"] and got["gaps"] == []
assert [s["contact"] for s in got["shifts"]] == ["ana", "bo"] and got["shifts"][0]["to"] == "2026-12-24T08:00:00.000Z"
PY

# usage
for words in 'escalation' 'escalation simulate' 'escalation simulate p5' 'escalation simulate p1 p2' 'escalation simulate p1 --for soon' \
  'escalation simulate p1 --at tomorrow' 'escalation simulate p1 --service shpo' 'oncall' 'oncall show opz' 'oncall show --days 0' 'oncall hide'; do
  # shellcheck disable=SC2086
  expect 2 offline $words
  [ -n "$err" ] || expect_fail "ronda $words says why"
done
expect 2 offline escalation simulate p1 --service shpo
expect_err 'there is no service "shpo"; did you mean "shop"?'
expect 2 offline oncall show opz
expect_err 'there is no oncall "opz"; did you mean "ops"?'

# a mistake is told by validate at its place, and what holds with it is simulated
sed -i 's/notify = \["ops"\]/notify = ["opz"]/' "$scratch/conf.d/10.toml"
expect 1 offline validate
expect_err '10.toml:24:28: error: `notify`: there is no contact, group or oncall `opz`; did you mean `ops`?'
expect_err "\`notify\`: there is no contact, group or oncall \`opz\`; did you mean \`ops\`?"
expect 1 offline escalation simulate p1 --at '2026-12-24 03:00' --for 1h
expect_err 'the configuration has 1 error '
expect_out 'bo: mail'
# of windows and drills too: who cannot be reached is no answer
sed -i 's/opz/ops/' "$scratch/conf.d/10.toml"
cat >"$scratch/conf.d/20.toml" <<'END'
[agent]
drill = { at = "Mon *-*-* 10:00", notify = ["cy"], level = "p2" }
[contact.cy]
channels = [{ notifier = "mail", to = "cy@shop.example", levels = ["p1"] }]
[group.none]
members = []
[window.sunday]
at = "Sun *-*-* 02:00"
lasts = "2h"
notify = ["cy", "none"]
owner = "opz"
reason = "upkeep"
END
sed -i '/^\[agent\]/,/^$/d' "$scratch/conf.d/10.toml"
expect 1 offline validate
expect_err '20.toml:2:9: error: `drill.notify` tells `cy`, and nobody there has a channel for p2'
expect_err '20.toml:10:10: error: `notify` tells `cy`, and nobody there has a channel for p3'
expect_err '20.toml:10:10: error: `notify` tells `none`, in which there is nobody'
expect_err '20.toml:11:9: error: `owner`: there is no contact, group or oncall `opz`; did you mean `ops`?'
rm "$scratch/conf.d/20.toml"
# a plugin that is not there: nobody can be told, and that is a failure
rm "$scratch/plugins/chaos.so"
expect 1 offline escalation simulate p1 --at '2026-12-24 03:00' --for 1m
expect_out 'NOBODY: there is no notifier that can be used'
expect_end
