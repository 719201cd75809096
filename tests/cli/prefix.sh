#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# prefix.sh BUILD_DIR: what is installed into a prefix of one's own finds its plugins and its runner there, also when the prefix is moved.
set -eu
build=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
fail() { echo "prefix: $*" >&2; exit 1; }

cmake --install "$build" --prefix "$work/first" > "$work/install.log" || fail "install: $(cat "$work/install.log")"
mkdir "$work/conf.d"
printf '[check.true]\nuse = "exec.nagios"\ncommand = ["/bin/true"]\nseverity = "p4"\n' > "$work/conf.d/10.toml"
for prefix in first second; do
  [ -d "$work/$prefix" ] || mv "$work/first" "$work/$prefix"
  "$work/$prefix/bin/ronda" plugin list > "$work/list.log" || fail "list: $(cat "$work/list.log")"
  grep -q "^ok *org.ronda.exec .* $work/$prefix/" "$work/list.log" || fail "its plugins are not found: $(cat "$work/list.log")"
  "$work/$prefix/bin/ronda" validate --probe --config "$work/conf.d" --trust "$work/none.toml" > "$work/probe.log" 2>&1 ||
    fail "its runner does not start: $(cat "$work/probe.log")"
  grep -q '1 plugin tried' "$work/probe.log" || fail "nothing was tried: $(cat "$work/probe.log")"
done
echo ok
