#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# plugin_file.sh FILE ID: what a plugin's file promises, seen with the tools that everybody has.
set -eu
file=$1 id=$2
fail() { echo "plugin_file: $file: $*" >&2; exit 1; }

exports=$(nm -D --defined-only "$file" | awk '{ print $2, $3 }')
[ "$exports" = "T ronda_plugin_entry_1" ] || fail "exports not just its entry: $exports"

readelf -n "$file" | grep -Eq '^ *RONDA +0x[0-9a-f]+.*0x0000524f' || fail "readelf -n lists no RONDA note"
readelf -n "$file" | grep -q 'Build ID' || fail "no build id"
strings -a "$file" | grep -qF "id = \"$id\"" || fail "strings does not show the manifest"

copy=$(mktemp)
trap 'rm -f "$copy"' EXIT
strip -s -o "$copy" "$file"
readelf -n "$copy" | grep -q RONDA || fail "strip takes the note away"
readelf -lW "$copy" | grep -q '^ *NOTE' || fail "the note is in no segment"

readelf -dW "$file" | grep -q 'BIND_NOW\|NOW' || fail "not bound at load"
! readelf -dW "$file" | grep -q 'TEXTREL\|STATIC_TLS\|RPATH\|RUNPATH' || fail "TEXTREL, STATIC_TLS or RPATH"
! readelf -sW "$file" | grep -q ' UNIQUE ' || fail "has unique symbols: a second copy would share them"
echo "ok"
