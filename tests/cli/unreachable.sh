#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The command line where no agent runs: exit codes of every verb, usage errors, validate in all its formats.
set -euo pipefail
here=$(dirname "${BASH_SOURCE[0]}")
# shellcheck source=tests/support/live.sh
. "$here/../support/live.sh"
# shellcheck source=tests/support/expect.sh
. "$here/../support/expect.sh"
mkdir -p "$live_dir/conf.d"
to_full() { live_ronda "$@" >/dev/full; }

# ---- no agent ---------------------------------------------------------------------------------
for words in status 'status --watch' top 'check web' 'explain web' reload 'task run web' 'ping web' 'state backup backup.db' 'alert list' 'incident list' \
  'incident show INC-1' 'incident ack INC-1' 'incident open --level p1 fire' 'silence list' 'silence add check=web --for 1h --reason x' \
  'silence expire S-1' 'notify list' 'notify test cto' 'notify retry' 'maintenance list' 'maintenance start 1h --reason x' \
  'maintenance end M-1' 'oncall override ops cto --for 1h --reason x' 'oncall undo O-1'; do
  # shellcheck disable=SC2086
  expect 3 live_ronda $words
  expect_err 'no agent answers on'
  # shellcheck disable=SC2086
  expect 3 live_ronda $words --output json
  expect_out '"error":"unreachable"'
done

# a conf.d that cannot be read is not one that says nothing
for words in 'oncall show' 'escalation simulate p1' calendar 'config show'; do
  # shellcheck disable=SC2086
  expect 3 "$live_bin/ronda" --config "$live_dir/nowhere" $words
  expect_err 'so nothing is known of what it says'
done
expect 0 "$live_bin/ronda" --config "$live_dir/nowhere" calendar daily
expect_err 'could not be read, so this is in '

# who runs it as a Nagios plugin reads its output
expect 3 live_ronda check web
expect_out 'UNKNOWN - web: not determined'

# ---- usage ------------------------------------------------------------------------------------
expect 2 live_ronda
expect 2 "$live_bin/ronda"
expect_out 'usage: ronda VERB'
expect 2 live_ronda statsu
expect_err 'did you mean "status"?'
for words in 'validate more' 'validate --probee' 'reload more' 'run more' 'task' 'task walk web' 'task run' 'explain' 'explain a b' 'ping' 'ping a b c' \
  'ping web perhaps' 'ping web 256' 'wrap' 'wrap web' 'calendar more' 'calendar --days none' 'calendar --days 0' 'config more' 'state' 'state forget x' \
  'alert' 'alert lst' 'alert list more' 'incident' 'incident acc INC-1' 'incident show' 'incident open fire' 'incident open --level p1' \
  'incident raise INC-1' 'incident update INC-1' 'incident ack INC-1 --based-on x' 'incident review INC-1 --set summary' 'incident list more' \
  'silence' 'silence add' 'silence expire' 'silence lift S-1' 'notify' 'notify lst' 'notify test' 'maintenance' 'maintenance strt' 'maintenance start' 'oncall override ops' 'oncall undo' 'version more' 'completion' 'completion tcsh' 'reload --output xml' 'validate --output xml' 'version --config'; do
  # shellcheck disable=SC2086
  expect 2 live_ronda $words
  [ -n "$err" ] || expect_fail "ronda $words says why"
done
expect 2 live_ronda incident acc INC-1
expect_err 'incident has no verb "acc"; did you mean "ack"?'
expect 2 live_ronda incident xyzzy INC-1
expect_err 'incident has no verb "xyzzy"; it has list show open ack unack note update raise lower mitigate resolve close role ticket review'
# a flag of another word would do nothing
for words in 'incident list --level p1' 'incident list --service shop' 'incident ack INC-1 --level p2' 'incident ack INC-1 --impact shop' \
  'incident show INC-1 --markdown' 'silence list --for 3d' 'silence expire S-1 --reason x' 'maintenance end M-1 --at-most 2h' \
  'maintenance list --service shop' 'notify test cto --all' 'oncall show --reason x' 'plugin list --yes' 'rules test x --since 1d'; do
  # shellcheck disable=SC2086
  expect 2 live_ronda $words
  expect_err 'takes no --'
done
expect 2 live_ronda incident list --level p1
expect_err "incident list takes no --level; see 'ronda incident --help'"
expect 2 live_ronda incident note INC-1
expect_err 'a note needs a text'

# what cannot be written was not said
[ ! -w /dev/full ] || for words in '1 plugin list' '3 check web' '1 version'; do
  # shellcheck disable=SC2086
  expect "${words%% *}" to_full ${words#* }
  expect_err 'the output could not be written'
done

for words in 'status more' 'status --output xml' 'check' 'check a b' 'check a --loud' 'top more'; do
  # shellcheck disable=SC2086
  expect 3 live_ronda $words
  [ -n "$err" ] || expect_fail "ronda $words says why"
done

# ---- help, before and after -------------------------------------------------------------------
expect 0 live_ronda --help
expect_out 'wrap NAME -- COMMAND'
expect_out 'plugin list|inspect|why|clear|new|lint|test|run|docs|schema|ld-args|install'
expect 0 live_ronda incident --help
expect_out 'ronda incident ticket ID VENDOR [--level N] [--opened NUMBER | --answered TEXT]'
expect 0 live_ronda validate --help
expect_out '--probe'
expect_out 'text, json or sarif'
expect 0 "$live_bin/ronda" --help
all=$out
expect 0 "$live_bin/ronda" validate --help
one=$out
for words in help 'help help' 'help validate' 'help validate more' '--output json help validate'; do
  # shellcheck disable=SC2086
  expect 0 "$live_bin/ronda" $words
  case $words in
    help) [ "$out" = "$all" ] ;;
    'help help') [[ $out == 'usage: ronda help [VERB]'* ]] ;;
    *) [ "$out" = "$one" ] ;;
  esac || expect_fail "ronda $words prints what --help does"
done
expect 0 "$live_bin/ronda" help status
expect 2 "$live_bin/ronda" help statsu
expect_err 'unknown verb "statsu"; did you mean "status"?'
[ -z "$out" ] || expect_fail 'where there is no help nothing is printed'
expect 2 "$live_bin/ronda" hlep
expect_err 'did you mean "help"?'
expect 2 "$live_bin/ronda" help --loud
expect 0 "$live_bin/ronda" version --output json
expect_out '"abi":"'
expect 0 "$live_bin/ronda" --output json version
expect_out '"abi":"'
expect 0 "$live_bin/ronda" --version
expect_like 'ronda [0-9]+\.[0-9]+\.[0-9]+'

# ---- validate ---------------------------------------------------------------------------------
cat >"$live_dir/conf.d/10-good.toml" <<'TOML'
[check.procs]
use = "exec.nagios"
every = "30s"
command = ["/bin/true"]
severity = "p2"
TOML
expect 0 live_ronda validate
expect_out 'valid: 1 file, 1 check, 0 tasks, 0 notifiers, 13 plugins: 0 errors'
expect 0 live_ronda config
expect_out '10-good.toml'
expect 0 live_ronda config show
expect_out '[check.procs]'
expect_out 'severity = "p2"'
expect 0 live_ronda calendar --days 1
expect_out 'check procs'

# an expression: what it means where it could be written otherwise, and when it is due
printf '[agent]\ntz = "America/Argentina/Buenos_Aires"\n' >"$live_dir/conf.d/05-zone.toml"
expect 0 live_ronda calendar 'Sun 2:30'
expect_like 'written     Sun 2:30'
expect_like 'normalised  Sun \*-\*-\* 02:30:00'
expect_like 'zone        America/Argentina/Buenos_Aires'
expect_like 'next        Sun [0-9]{4}-[0-9]{2}-[0-9]{2} 02:30:00 -0300'
[ "$(grep -c ' 02:30:00 -0300$' <<<"$out")" = 5 ] || expect_fail 'five times'
expect 0 live_ronda calendar 'Sun *-*-* 02:30:00'
expect_no_out normalised
expect 0 live_ronda calendar 'daily utc'
expect_like 'normalised  \*-\*-\* 00:00:00 UTC'
expect_like 'next        [A-Z].* 00:00:00 \+0000'
expect 0 live_ronda calendar 'daily Europe/Berlin'
expect_like 'normalised  \*-\*-\* 00:00:00 Europe/Berlin'
expect_like 'zone        Europe/Berlin'
expect 0 live_ronda calendar '30 2 * * 7' --days 30
expect_like 'normalised  Sun \*-\*-\* 02:30:00'
[[ $(grep -c ' 02:30:00 -0300$' <<<"$out") = [45] ]] || expect_fail 'the Sundays of thirty days'
expect 0 live_ronda calendar '*-02-30'
expect_like 'next        never'
expect_err 'this date never comes'
expect 0 live_ronda calendar '2020-01-01 00:00'
expect_like 'next        never again'
expect_err 'the last such date was Wed 2020-01-01 00:00:00 -0300: nothing is due any more'
expect 0 live_ronda calendar 'Sun 2:30' --output json
python3 - "$out" <<'PY' || expect_fail 'calendar EXPR --output json has the normal form'
import json, sys
found = json.loads(sys.argv[1])
assert found["written"] == "Sun 2:30" and found["normalised"] == "Sun *-*-* 02:30:00" and found["differs"] is True, found
assert found["zone"] == "America/Argentina/Buenos_Aires" and len(found["next"]) == 5, found
assert all(at.endswith("T05:30:00.000Z") for at in found["next"]), found
PY
expect 0 live_ronda calendar 'Sun *-*-* 02:30:00' --output json
expect_out '"differs":false'
expect 2 live_ronda calendar 'Sun *-*-99'
expect_err 'is no calendar expression'
expect 2 live_ronda calendar Sun 2:30
expect_err 'put it in quotes'
rm "$live_dir/conf.d/05-zone.toml"

# ---- what is planned is in the calendar; a level that no ladder tells of is warned of -------------
cp -r "$live_dir/conf.d" "$live_dir/conf.d.was"
rm -f "$live_dir/conf.d"/*.toml
cat >"$live_dir/conf.d/10-planned.toml" <<'TOML'
[agent]
tz = "America/Argentina/Buenos_Aires"
drill = { at = "Mon *-*-* 10:00", notify = ["ana"] }

[window.sunday]
at = "Sun *-*-* 02:00"
lasts = "2h"
owner = "ana"
reason = "the weekly reboot"

[notifier.paper]
use = "command"
command = ["/bin/true"]

[contact.ana]
channels = [{ notifier = "paper", to = "ana" }]

[escalation.default.p1]
steps = [{ from = "0m", notify = ["ana"], repeat = ["1h"] }]

[check.one]
use = "exec.nagios"
command = ["/bin/true"]
severity = "p3"

[check.two]
use = "exec.nagios"
command = ["/bin/true"]
severity = "p3"

[check.three]
use = "exec.nagios"
command = ["/bin/true"]
severity = "p4"
TOML
expect 0 live_ronda validate
expect_err '10-planned.toml:18:21: warning: alert `one` and 1 other may reach p3, and no ladder tells of p3, nor is there `[agent] last_resort`: every notifier is told, and no person; write [escalation.default.p3], or last_resort = ["NOTIFIER"]'
expect_err 'alert `three` may reach p4, and no ladder tells of p4, nor is there `[agent] last_resort`: nobody is told; write [escalation.default.p4]'
expect_out '2 warnings'
expect 0 live_ronda calendar --days 14
[ "$(grep -cE '^Sun [-0-9]+ 02:00:00 -0300  window sunday \(2h\)$' <<<"$out")" = 2 ] || expect_fail 'the calendar has a window and how long it lasts'
[ "$(grep -cE '^Mon [-0-9]+ 10:00:00 -0300  drill to ana$' <<<"$out")" = 2 ] || expect_fail 'the calendar has the drills'
expect 0 live_ronda calendar --output json
expect_out '"name":"window sunday","lasts_s":7.2E3'
sed -i 's/^drill/last_resort = ["paper"]\n&/' "$live_dir/conf.d/10-planned.toml"
expect 0 live_ronda validate
expect_out '0 warnings'
rm -r "$live_dir/conf.d"
mv "$live_dir/conf.d.was" "$live_dir/conf.d"

cat >"$live_dir/conf.d/20-bad.toml" <<'TOML'
[check.web]
use = "http.request"
evry = "30s"
url = "http://127.0.0.1/"

[check.web2]
use = "http.reqest"
url = "http://127.0.0.1/"

[check.web3]
use = "http.request"
every = 30
url = "http://127.0.0.1/"
TOML
cat >"$live_dir/conf.d/30-worse.toml" <<'TOML'
[check.cut
TOML
touch "$live_dir/conf.d/.hidden.toml" "$live_dir/conf.d/old.toml.bak" "$live_dir/conf.d/new.toml.dpkg-new"
expect 1 live_ronda validate
expect_out 'not valid:'
expect_err "20-bad.toml:3:1: error:"
expect_err "did you mean 'every'?"
expect_err 'evry = "30s"'
grep -qE '^ *[|0-9 ]*\^' <<<"$err" || expect_fail 'a caret stands under the place'
expect_err "20-bad.toml:7:7: error:"
expect_err 'http.request'
expect_err "20-bad.toml:12:9: error:"
expect_err "30-worse.toml:1:"
expect_err '30-worse.toml: warning: what this file declares is not known, so names to which the rest refers were not looked up: mend it and validate again'
expect 1 live_ronda validate --output json
python3 - "$out" <<'PY' || expect_fail 'validate --output json is a list that names file, line and column'
import json, sys
found = json.loads(sys.argv[1])
errors = [d for d in found if d["severity"] == "error"]
assert len(errors) >= 4, errors
assert any(d["file"].endswith("20-bad.toml") and d["line"] == 3 and d["column"] == 1 for d in errors), errors
PY
expect 1 live_ronda validate --output sarif
python3 - "$out" <<'PY' || expect_fail 'validate --output sarif is SARIF 2.1.0'
import json, sys
log = json.loads(sys.argv[1])
assert log["version"] == "2.1.0"
run = log["runs"][0]
assert run["tool"]["driver"]["name"] == "ronda"
places = [r["locations"][0]["physicalLocation"] for r in run["results"] if r["level"] == "error"]
assert any(p["artifactLocation"]["uri"].endswith("20-bad.toml") and p["region"]["startLine"] == 3 for p in places), places
PY
expect 1 live_ronda config show
expect 0 live_ronda config
expect_out '.hidden.toml'
expect_out 'old.toml.bak'
expect_out 'new.toml.dpkg-new'
expect 1 live_ronda calendar
rm "$live_dir/conf.d"/*.toml

# ---- an env file named from here is read, and what is wrong with it is said -----------------------
printf '[task.job]\nuse = "exec.command"\ncommand = ["/bin/true", "${env:RONDA_TEST_FROM_FILE}"]\n' >"$live_dir/conf.d/10-env.toml"
(umask 077 && echo 'RONDA_TEST_FROM_FILE=1' >"$live_dir/env")
expect 1 live_ronda validate
from_there() { (bin=$(realpath "$live_bin") && plugins=$(realpath "$live_plugins") && cd "$live_dir" && "$bin/ronda" validate --config conf.d --plugins "$plugins" "$@"); }
expect 0 from_there --env-file env
expect 1 from_there --env-file env.missing
expect_err 'env.missing'
rm "$live_dir/conf.d"/*.toml

# ---- a limit that can never be compared with its metric -------------------------------------------
cat >"$live_dir/conf.d/10-limits.toml" <<'TOML'
[check.load]
use = "host.load"
warn = { load1 = "80%", load5 = "4", laod15 = "3" }
crit = { load5_per_cpu = "5s" }

[check.memory]
use = "host.memory"
warn = { used = "80%", available = "1GiB:" }

[check.disk]
use = "host.disk"
warn = { used = "20", free = 0 }
crit = { used = 30 }
TOML
expect 1 live_ronda validate
expect_err '12:17: error: `used` is in "ratio", which cannot be compared with "20"; write "20%"'
expect_err '13:17: error: `used` is in "ratio", which cannot be compared with "30"; write "30%"'
for what in '3:18: error: `load1` has no unit, which cannot be compared with "80%"' '3:47: warning: ' 'did you mean `load15`?' '4:26: error: '; do expect_err "$what"; done
expect_out ' 4 errors'
rm "$live_dir/conf.d"/*.toml

# ---- a trust.toml that is wrong is told once, and hides no other mistake -------------------------
cat >"$live_dir/conf.d/10-two.toml" <<'TOML'
[check.procs]
use = "exec.nagios"
command = ["/bin/true"]
severity = "p2"

[task.job]
use = "exec.command"
command = ["/bin/true"]
user = "somebody"
TOML
trusting() { "$live_bin/ronda" validate --config "$live_dir/conf.d" --plugins "$live_plugins" --trust "$live_dir/bad-trust.toml" "$@"; }
(umask 022 && echo 'mode = "pins"' >"$live_dir/bad-trust.toml")
expect 1 trusting
expect_err 'bad-trust.toml:1:8: error:'
expect_out ' 1 error,'
expect_no_err 'plugin provides'
expect_no_err 'refused'
(umask 022 && printf '[check.lost]\nuse = "exec.nagois"\n[check.odd]\nuse = "exec.nagios"\ncommand = 5\nat = "Sun *-*-99"\n' >"$live_dir/conf.d/20-more.toml")
expect 1 trusting
expect_out ' 4 errors'
expect_err "20-more.toml:2:7: error: no plugin provides the check 'exec.nagois'; did you mean 'exec.nagios'?"
expect_err '20-more.toml:5:11: error:'
expect_err '20-more.toml:6:6: error:'
rm "$live_dir/conf.d"/*.toml

# ---- everything in one pass: also of an instance that is disabled for a key of the core -----------
cat >"$live_dir/conf.d/10-many.toml" <<'TOML'
[defaults.check]
title = "no default"

[check.web]
use = "http.request"
timeout = "10"
evry = "30s"
url = "${env:RONDA_TEST_UNSET}"
follow_redirects = "perhaps"
after = ["webb"]
at = "Sun *-*-99 02:00"

[check.lost]
use = "http.reqest"
url = "http://127.0.0.1/"
after = ["web", "lots"]

[service.shop]
title = 5
checks = ["wbe"]

[task.bare]
use = "exec.command"
user = "root"

[task.job]
use = "exec.command"
command = ["/bin/true"]
locks = ["one"]
tags = ["${env:RONDA_TEST_TAG:-red}"]
TOML
expect 1 live_ronda validate
for place in 2:1 6:11 7:1 8:7 9:20 10:10 11:6 14:7 16:17 19:9 20:11 22:7; do expect_err "10-many.toml:$place: error:"; done
[ "$(grep -c '10-many.toml:8:7: error' <<<"$err")" = 1 ] || expect_fail 'a value whose reference failed has one error'
[ "$(grep -c '10-many.toml:22:7: error' <<<"$err")" = 2 ] || expect_fail 'a user that is not allowed hides no missing option'
expect_out ' 13 errors'
sed -i '/^\[check.web\]/,/^$/d; /^\[check.lost\]/,/^$/d; /^\[service.shop\]/,/^$/d; /^\[task.bare\]/,/^$/d; s/^use = "exec.command"/&\nretry = { times = 2, wait = "5s" }/' "$live_dir/conf.d/10-many.toml"
expect 1 live_ronda config show
for line in 'locks = ["one"]' 'retry = { "times" = 2, "wait" = "5s" }' 'tags = ["${env:RONDA_TEST_TAG:-red}"]'; do expect_out "$line"; done
rm "$live_dir/conf.d"/*.toml
expect 1 "$live_bin/ronda" validate --config "$live_dir/nowhere" --plugins "$live_plugins"
expect_err 'nowhere'

# ---- completion -------------------------------------------------------------------------------
expect 0 live_ronda completion bash
printf '%s\n' "$out" >"$live_dir/completion"
completed() {  # completed WORD ...: what the shell would offer for the last of them
  bash -c 'source "$1"; shift; COMP_WORDS=(ronda "$@"); COMP_CWORD=$#; _ronda; printf "%s\n" "${COMPREPLY[@]}"' - "$live_dir/completion" "$@"
}
expect 0 completed stat
expect_like 'status'
expect_like 'state'
expect_no_out 'reload'
expect 0 completed reload --allow
expect_like '--allow-empty'
expect 0 completed state ''
expect_like 'backup'
expect_like 'restore'
expect 0 completed help calen
expect_like 'calendar'
expect 0 completed ping web ''
# names of conf.d and ids of the agent
cat >"$live_dir/conf.d/10-named.toml" <<'TOML'
[check.web]
use = "http.request"
[check.wiki]
use = "http.request"
[task.wipe]
use = "exec.command"
[contact.ana]
[group.all]
[service.shop]
TOML
live_names() { env COMP_RONDA="$live_bin/ronda" bash -c 'source "$1"; c=$2; shift 2; COMP_WORDS=("$COMP_RONDA" --config "$c" "$@"); COMP_CWORD=$(($# + 2)); _ronda; printf "%s\n" "${COMPREPLY[@]}"' - "$live_dir/completion" "$live_dir/conf.d" "$@"; }
expect 0 live_names check w
[ "$out" = $'web\nwiki' ] || expect_fail 'the name of a check'
expect 0 live_names task run w
[ "$out" = wipe ] || expect_fail 'the third word is a task'
expect 0 live_names notify test --wait 3s a
[ "$out" = $'all\nana' ] || expect_fail 'a contact or a group, whatever options stand before it'
expect 0 live_names silence add x --reason y --for 1h --output j
[ "$out" = json ] || expect_fail 'an option may have words of its own'
expect 0 live_names incident open --service s
[ "$out" = shop ] || expect_fail 'an option may take a name'
expect 0 live_names check --
expect_like '--config'
rm "$live_dir/conf.d/10-named.toml"
expect 0 bash -c 'source "$1"; complete -p ronda' - "$live_dir/completion"
expect_out '-F _ronda ronda'

# ---- wrap works alone -------------------------------------------------------------------------
expect 0 live_ronda wrap job -- /bin/echo 'it ran'
expect_like 'it ran'
expect_err 'not reported'
expect 7 live_ronda wrap job -- /bin/sh -c 'echo oops >&2; exit 7'
expect_err 'oops'
expect 143 live_ronda wrap job -- /bin/sh -c 'kill -TERM $$'
expect 127 live_ronda wrap job -- /nowhere/at/all
# the command finds its signals as whoever called wrap had set them: nohup's too, and SIGPIPE
# blocked and ignored, of the 31 that are not real-time signals: the C library keeps two of those for itself
signals() {
  local name mask
  "$@" grep -E 'Sig(Blk|Ign)' /proc/self/status 2>/dev/null | while read -r name mask; do echo "$name $((0x$mask & 0x7fffffff))"; done
}
wrapped_signals() { signals live_ronda wrap job --; }
[ "$(wrapped_signals)" = "$(signals)" ] || expect_fail 'the wrapped command has the signals of its caller'
(trap '' HUP PIPE; [ "$(wrapped_signals)" = "$(signals)" ]) || expect_fail 'what was ignored stays ignored'

expect_end
