# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Real servers and a real agent for scripts: sourced, not run. Everything lives in $live_dir, listens on loopback
# only, runs as nobody where the script is root's, and ends with the script.

live_dir=$(mktemp -d "${TMPDIR:-/tmp}/ronda-live.XXXXXX")
chmod 755 "$live_dir"
live_pids=()
live_bin=${RONDA_BIN:-build/dev/bin}
live_plugins=${RONDA_PLUGINS:-build/dev/plugins}

live_say() { printf '%s\n' "$*" >&2; }

live_end() {
  local pid
  for pid in "${live_pids[@]}"; do  # the last started first: an agent before the servers that it watches
    kill "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
  done
  [ -n "${live_keep:-}" ] || rm -rf "$live_dir"
}
trap live_end EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# live_as_nobody COMMAND ...: becomes it, for use with &
live_as_nobody() {
  if [ "$(id -u)" = 0 ]; then exec setpriv --reuid 65534 --regid 65534 --clear-groups -- "$@"; fi
  exec "$@"
}

live_dir_of_nobody() {
  mkdir -p "$1"
  [ "$(id -u)" != 0 ] || chown 65534:65534 "$1"
}

# A port of loopback that nobody answers on.
live_free_port() {
  local port
  for _ in $(seq 100); do
    port=$((20000 + RANDOM % 30000))
    (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo "$port"; return; }
  done
  return 1
}

# live_wait SECONDS COMMAND ...: until it succeeds
live_wait() {
  local until=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    [ $SECONDS -lt "$until" ] || return 1
    sleep 0.1
  done
}

# A PostgreSQL with pg_stat_statements and a role that may only monitor; sets pg_port, pg_bin.
live_postgres() {
  pg_bin=$(find /usr/lib/postgresql -maxdepth 2 -name bin | sort -V | tail -1)
  [ -n "$pg_bin" ] || { live_say "no PostgreSQL server is installed"; return 1; }
  pg_port=$(live_free_port)
  live_dir_of_nobody "$live_dir/pg"
  (live_as_nobody "$pg_bin/initdb" -D "$live_dir/pg/data" -U postgres -A trust --no-sync -E UTF8 --locale=C.UTF-8) >"$live_dir/initdb.log" 2>&1 ||
    { cat "$live_dir/initdb.log" >&2; return 1; }
  (cd / && live_as_nobody "$pg_bin/postgres" -D "$live_dir/pg/data" -p "$pg_port" -c listen_addresses=127.0.0.1 \
    -c unix_socket_directories="$live_dir/pg" -c shared_preload_libraries=pg_stat_statements -c fsync=off) >"$live_dir/postgres.log" 2>&1 &
  live_pids=($! "${live_pids[@]}")
  live_wait 30 "$pg_bin/pg_isready" -q -h 127.0.0.1 -p "$pg_port" || { cat "$live_dir/postgres.log" >&2; return 1; }
  "$pg_bin/psql" -q -h 127.0.0.1 -p "$pg_port" -U postgres -c "CREATE EXTENSION pg_stat_statements" \
    -c "CREATE ROLE monitor LOGIN PASSWORD 'only-for-this-run' IN ROLE pg_monitor" >/dev/null
}

# An nginx with a status page of JSON at /status and a plain page at /; sets web_port.
live_nginx() {
  web_port=$(live_free_port)
  live_dir_of_nobody "$live_dir/web"
  mkdir -p "$live_dir/www"
  echo 'The shop is open.' >"$live_dir/www/index.html"
  echo '{"success": true, "metrics": {"error_rate": 0.002, "errors": 3}}' >"$live_dir/www/status"
  cat >"$live_dir/nginx.conf" <<CONF
daemon off; pid $live_dir/web/pid; error_log $live_dir/web/error.log; worker_processes 1;
events { worker_connections 256; }
http {
  access_log off; default_type application/json; root $live_dir/www; keepalive_timeout 65s;
  client_body_temp_path $live_dir/web/body; proxy_temp_path $live_dir/web/proxy; fastcgi_temp_path $live_dir/web/fastcgi;
  uwsgi_temp_path $live_dir/web/uwsgi; scgi_temp_path $live_dir/web/scgi;
  server { listen 127.0.0.1:$web_port; }
}
CONF
  (live_as_nobody /usr/sbin/nginx -e "$live_dir/web/error.log" -c "$live_dir/nginx.conf") >"$live_dir/nginx.log" 2>&1 &
  live_pids=($! "${live_pids[@]}")
  live_wait 10 curl -fsS "http://127.0.0.1:$web_port/status" || { cat "$live_dir/nginx.log" >&2; return 1; }
}

live_options=(--config "$live_dir/conf.d" --plugins "$live_plugins" --state "$live_dir/state" --socket "$live_dir/ronda.sock")
live_ronda() { "$live_bin/ronda" "${live_options[@]}" "$@"; }

# The agent on $live_dir/conf.d; sets agent_pid. Its log is $live_dir/agent.log.
live_agent() {
  mkdir -p "$live_dir/state" && chmod 700 "$live_dir/state"
  (exec "$live_bin/ronda" "${live_options[@]}" run "$@") >>"$live_dir/agent.log" 2>&1 &
  agent_pid=$!
  live_pids=("$agent_pid" "${live_pids[@]}")
  live_wait 20 live_answers || { cat "$live_dir/agent.log" >&2; return 1; }
}

# Whether the agent answers, whatever the state of what it checks.
live_answers() { { live_ronda status --output json 2>/dev/null || true; } | grep -q '"agent"'; }

# Whether every check has had its first result.
live_all_ran() {
  local checks
  checks=$(live_ronda status 2>/dev/null | sed -n '/^checks$/,/^$/p')
  [ -n "$checks" ] && ! grep -q '^  pending' <<<"$checks"
}
