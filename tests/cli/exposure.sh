#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# exposure.sh SOURCE_DIR BUILD_DIR: what systemd-analyze says of the unit as it is installed, and with the drop-in for an agent
# without privileges; tenths of its points, less is better (decision 0090).
set -eu
source=$1 build=$2
command -v systemd-analyze >/dev/null || { echo 'skipped: there is no systemd-analyze'; exit 77; }
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
units=$root/etc/systemd/system
mkdir -p "$units/ronda.service.d"
cp "$build/agent/packaging/ronda.service" "$units"

at_most() {  # TENTHS WHAT
  systemd-analyze security --offline=true --root="$root" --threshold="$1" ronda.service >"$root/said" 2>&1 && return
  grep '✗' "$root/said" || cat "$root/said"
  tail -1 "$root/said"
  echo "exposure: $2 is above $1"
  return 1
}

at_most 70 'the unit'
cp "$source/agent/packaging/unprivileged.conf" "$units/ronda.service.d"
at_most 20 'the unit without privileges'
# and what is taken away would be seen
sed -i '/^NoNewPrivileges=/d' "$units/ronda.service.d/unprivileged.conf"
if at_most 20 'without NoNewPrivileges it' >/dev/null; then
  echo 'exposure: a line less is not seen'
  exit 1
fi
echo ok
