#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A real PostgreSQL, a real nginx, all plugins and the agent: every check is OK; the verbs' output and exit codes;
# a server that goes away is CRITICAL and blocks what comes after it, and is OK again when it is back.
set -euo pipefail
here=$(dirname "${BASH_SOURCE[0]}")
# shellcheck source=tests/support/live.sh
. "$here/../support/live.sh"
# shellcheck source=tests/support/expect.sh
. "$here/../support/expect.sh"
if [ ! -x /usr/sbin/nginx ] || [ ! -d /usr/lib/postgresql ]; then echo 'needs nginx and PostgreSQL'; exit 77; fi

live_postgres
live_nginx
mkdir -p "$live_dir/conf.d"
sed -e "s/@PG_PORT@/$pg_port/" -e "s/@WEB_PORT@/$web_port/" -e "s|@DIR@|$live_dir|" "$here/../support/try.toml" >"$live_dir/conf.d/10-try.toml"
# how busy this host is says nothing about the agent
cat >"$live_dir/conf.d/20-more.toml" <<'TOML'
[check.down]
use = "exec.nagios"
command = ["/bin/sh", "-c", "echo 'it burns | heat=93C;;;0;100'; exit 2"]
enabled = false

[check.odd]
use = "exec.nagios"
command = ["/bin/sh", "-c", "echo 'half full | used=50%;80;90'; exit 1"]
enabled = false

[task.fails]
use = "exec.command"
command = ["/bin/sh", "-c", "echo 'no luck' >&2; exit 5"]

[task.slow]
use = "exec.command"
timeout = "5m"
command = ["/bin/sh", "-c", "until [ -e @DIR@/go ]; do sleep 0.1; done"]
TOML
sed -i "s|@DIR@|$live_dir|" "$live_dir/conf.d/20-more.toml"
sed -i -e '/^\[check.load\]/,/^$/s/^every.*/&\nwarn_at = 1000.0\ncrit_at = 2000.0\nstall_warn_at = "100%"\nstall_crit_at = "100%"/' \
  -e '/^\[check.memory\]/,/^$/s/^every.*/&\nwarn_at = "100%"\ncrit_at = "100%"\nswap_warn_at = "100%"\nswap_crit_at = "100%"\nstall_warn_at = "100%"\nstall_crit_at = "100%"\non_oom_kill = "ok"/' \
  -e '/^\[check.disk\]/,/^$/s/^every.*/&\nwarn_at = "100%"\ncrit_at = "100%"\ninodes_warn_at = "100%"\ninodes_crit_at = "100%"\nwritable = "any"/' \
  "$live_dir/conf.d/10-try.toml"
printf 'only-for-this-run' >"$live_dir/pg-password"
chmod 600 "$live_dir/pg-password"
live_agent

# ---- all is well ------------------------------------------------------------------------------
expect_soon 60 live_all_ran
expect 0 live_ronda status
expect_like 'OK  ronda .*generation 1, 12 checks, 3 tasks'
expect_like '  OK +shop +[0-9]+s .*'
expect_no_out CRITICAL
expect_no_out WARNING
expect 0 live_ronda status --output json
python3 - "$out" "$agent_pid" <<'PY' || expect_fail 'status --output json shows twelve checks that are ok, five plugins and the agent itself'
import json, sys
status = json.loads(sys.argv[1])
assert status["status"] == "ok" and status["exit"] == 0
assert len(status["checks"]) == 12 and all(c["status"] == "ok" for c in status["checks"]), status["checks"]
assert status["agent"]["pid"] == int(sys.argv[2]) and status["agent"]["state"] == "ok"
assert status["agent"]["store"]["state"] == "ok"
plugins = {p["id"].split(".")[-1]: p for p in status["plugins"]}
used = {"exec", "heartbeat", "host", "http", "postgresql"}
assert {name for name, p in plugins.items() if p["state"] == "running"} == used, plugins
assert {name for name, p in plugins.items() if p["state"] == "idle"} >= {"command", "logfile", "smtp"}, plugins
assert all(len(p["sha256"]) == 64 for p in plugins.values()), plugins
assert [s["name"] for s in status["services"]] == ["shop"] and status["services"][0]["status"] == "ok"
shop = next(c for c in status["checks"] if c["name"] == "shop-status")
assert shop["metrics"]["error_rate"]["value"] == 0.002, shop["metrics"]
PY
live_ronda status >"$live_dir/status.txt"
if grep -q $'\033' "$live_dir/status.txt"; then expect_fail 'no colours where stdout is no terminal'; fi

# ---- the verbs --------------------------------------------------------------------------------
expect 0 live_ronda check shop-status
expect_like "OK - shop-status: .*\|.*'?error_rate'?=0\.2%;1;5.*"
expect 0 live_ronda check shop-status --output json
expect_out '"exit":0'
expect 0 live_ronda explain shop
expect_out 'due: '
expect 3 live_ronda check shopp
expect_err "did you mean 'shop'"
expect 2 live_ronda explain nothing-like-it
expect 0 live_ronda task run hello
expect_out 'a task that does nothing but say so'
expect 1 live_ronda task run fails
expect_out 'no luck'
expect 2 live_ronda task run helo
expect_err "did you mean 'hello'"
# a dry run beside a run: what was typed is right, and not as things are
live_ronda task run slow >"$live_dir/slow.out" 2>&1 &
slow_pid=$!
runs() {
  { live_ronda status --output json || true; } |
    python3 -c 'import json, sys; sys.exit(not any(t["name"] == sys.argv[1] and t["running"] for t in json.load(sys.stdin)["tasks"]))' "$1"
}
expect_soon 30 runs slow
expect 1 live_ronda task run slow --dry-run
expect_err 'task slow runs or waits for its turn: try again when that run has ended'
touch "$live_dir/go"
wait "$slow_pid" || expect_fail "the run beside it ends well: $(cat "$live_dir/slow.out")"
expect 0 live_ronda task run slow --dry-run
expect 3 live_ronda check down
expect_err "check 'down' is switched off"
expect 3 live_ronda check hello
expect_err "there is the task 'hello'"
expect 1 live_ronda ping shop start
expect_err "check 'shop' takes no events"
expect 0 live_ronda wrap shopp -- /bin/true
expect_err "not reported: no check is named 'shopp'; did you mean 'shop'?"
expect 2 live_ronda task run hello --set key=value
expect 0 live_ronda config
expect 0 live_ronda version

# ---- one of each status -----------------------------------------------------------------------
sed -i '/^\[check.odd\]/,/^$/s/^enabled.*//' "$live_dir/conf.d/20-more.toml"
expect 0 live_ronda reload
expect_like 'reload #1: 15 kept, 0 replaced, 1 added, 0 removed, 0 failed'
expect 1 live_ronda check odd
expect_like "WARNING - odd: half full \|.*"
expect 1 live_ronda status
sed -i '/^\[check.down\]/,/^$/s/^enabled.*//' "$live_dir/conf.d/20-more.toml"
expect 0 live_ronda reload
expect 2 live_ronda check down
expect_like 'CRITICAL - down: it burns \|.*'
expect 2 live_ronda status
rm "$live_dir/conf.d/20-more.toml"
expect 0 live_ronda reload
expect_like 'reload #3: 13 kept, 0 replaced, 0 added, 4 removed, 0 failed'
expect 0 live_ronda status

# ---- a server goes and comes back -------------------------------------------------------------
web_pid=$(cat "$live_dir/web/pid")
kill -TERM "$web_pid"
is() { { live_ronda status 2>/dev/null || true; } | grep -qE "^  $2 +$1 "; }
expect_soon 30 is shop CRITICAL
expect 2 live_ronda check shop
expect_out 'CRITICAL - shop:'
expect_soon 30 is shop-status blocked
expect 0 live_ronda explain shop-status
expect_out 'blocked by shop'
expect 2 live_ronda status
expect 2 live_ronda status --output json
python3 - "$out" <<'PY' || expect_fail 'the service fails by the check that is down, not by the one that is blocked'
import json, sys
status = json.loads(sys.argv[1])
assert status["status"] == "critical"
assert status["services"][0]["status"] == "critical" and status["services"][0]["failing"] == ["shop"], status["services"]
blocked = next(c for c in status["checks"] if c["name"] == "shop-status")
assert blocked["summary"] == "blocked by shop", blocked
PY
(live_as_nobody /usr/sbin/nginx -e "$live_dir/web/error.log" -c "$live_dir/nginx.conf") >>"$live_dir/nginx.log" 2>&1 &
live_pids=("$agent_pid" $! "${live_pids[@]}")
expect_soon 30 is shop OK
expect_soon 30 is shop-status OK
expect 0 live_ronda status

# ---- the end ----------------------------------------------------------------------------------
kill -TERM "$agent_pid"
code=0
wait "$agent_pid" || code=$?
[ "$code" = 0 ] || expect_fail "the agent ends with 0 when it is told to stop"
[ ! -e "$live_dir/ronda.sock" ] || expect_fail 'its socket is gone'
expect 3 live_ronda status
expect_end
