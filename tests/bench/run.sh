#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What ./dev bench does: measures the built release against limit programs in the same run.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
exec python3 -B tests/bench/run.py "$@"
