#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs a test binary as nobody; 77 with a reason where that cannot be done or is already so.
test "$(id -u)" = 0 || { echo "skipped: already unprivileged, the test itself is this one"; exit 77; }
command -v setpriv >/dev/null || { echo "skipped: no setpriv"; exit 77; }
as_nobody="setpriv --reuid 65534 --regid 65534 --clear-groups"
$as_nobody test -x "$1" || { echo "skipped: nobody cannot reach $1"; exit 77; }
cd / && exec $as_nobody "$@"
