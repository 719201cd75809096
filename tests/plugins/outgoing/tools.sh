#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# tools.sh PLUGIN README: what the tools for authors say of a plugin that ships. Nothing to correct, every rule of the
# contract holds, and the README has the options that the manifest has.
set -euo pipefail
file=$1 readme=$2
here=$(dirname "${BASH_SOURCE[0]}")
ronda=${RONDA_BIN:-build/dev/bin}/ronda
scratch=$(mktemp -d "${TMPDIR:-/tmp}/ronda-tools.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
# shellcheck source=tests/support/expect.sh
. "$here/../../support/expect.sh"

expect 0 "$ronda" plugin lint "$file"
expect_out 'nothing to correct'
expect 0 "$ronda" plugin test "$file"
cp "$readme" "$scratch/README.md"
expect 0 "$ronda" plugin docs "$file" --into "$scratch/README.md"
expect 0 cmp "$readme" "$scratch/README.md"
expect_end
