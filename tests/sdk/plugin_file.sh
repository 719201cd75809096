#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# plugin_file.sh FILE MANIFEST: what a plugin's file promises, seen with the tools that everybody has.
set -eu
file=$1 manifest=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() { echo "plugin_file: $file: $*" >&2; exit 1; }

exports=$(nm -D --defined-only "$file" | awk '{ print $2, $3 }')
[ "$exports" = "T ronda_plugin_entry_1" ] || fail "exports not just its entry: $exports"

readelf -n "$file" | grep -Eq '^ *RONDA +0x[0-9a-f]+.*0x0000524f' || fail "readelf -n lists no RONDA note"
readelf -n "$file" | grep -q 'Build ID' || fail "no build id"
# shorter lines, and others than ASCII, are no text to strings
LC_ALL=C grep -E '^[ -~]{4,}$' "$manifest" >"$work/lines"
grep -q '^id = "' "$work/lines" || fail "$manifest names no plugin"
strings -a "$file" >"$work/text"
missing=$(LC_ALL=C grep -vxF -f "$work/text" "$work/lines") || [ $? = 1 ] || fail "its text and its manifest cannot be compared"
[ -z "$missing" ] || fail "strings does not show of its manifest: $missing"

copy=$work/copy
strip -s -o "$copy" "$file"
readelf -n "$copy" | grep -q RONDA || fail "strip takes the note away"
readelf -lW "$copy" | grep -q '^ *NOTE' || fail "the note is in no segment"

readelf -dW "$file" | grep -q 'BIND_NOW\|NOW' || fail "not bound at load"
! readelf -dW "$file" | grep -q 'TEXTREL\|STATIC_TLS\|RPATH\|RUNPATH' || fail "TEXTREL, STATIC_TLS or RPATH"
! readelf -sW "$file" | grep -q ' UNIQUE ' || fail "has unique symbols: a second copy would share them"
echo "ok"
