#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What ./dev run does: a PostgreSQL, an nginx and the agent with live checks of both and of this host. On a terminal
# it shows them until it is interrupted; else it prints one round and ends. --keep leaves the files for a look.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

for word in "$@"; do
  case "$word" in
    --keep) live_keep=yes ;;
    *) echo "usage: ./dev run [--keep]" >&2; exit 2 ;;
  esac
done
# shellcheck source=tests/support/live.sh
. tests/support/live.sh

live_say "starting PostgreSQL and nginx in $live_dir"
live_postgres
live_nginx

mkdir -p "$live_dir/conf.d"
sed -e "s/@PG_PORT@/$pg_port/" -e "s/@WEB_PORT@/$web_port/" -e "s|@DIR@|$live_dir|" tests/support/try.toml >"$live_dir/conf.d/10-try.toml"
printf 'only-for-this-run' >"$live_dir/pg-password"
chmod 600 "$live_dir/pg-password"

live_agent --output text
live_wait 40 live_all_ran || { live_ronda status || true; cat "$live_dir/agent.log" >&2; live_say "not every check has run"; exit 1; }
if [ -t 1 ]; then
  live_ronda top || true
else
  live_ronda status || true
  live_ronda explain shop || true
fi
