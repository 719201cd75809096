#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs one fuzz target for some seconds, from the seeds in seeds/ and what is given: fuzz.sh PROGRAM SECONDS [SEED-FILE]
set -euo pipefail
program=$1 seconds=$2
[ -x "$program" ] || { echo "skipped: there is no clang with libFuzzer (libclang-rt-14-dev)"; exit 77; }
name=$(basename "$program") name=${name#fuzz_}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/corpus"
seeds=$(dirname "$0")/seeds/$name
[ ! -d "$seeds" ] || cp "$seeds"/* "$folder/corpus"
largest=4096
if [ -n "${3:-}" ]; then
  cp "$3" "$folder/corpus"
  largest=$(stat -c %s "$3")
fi
# what it found is kept beside the program, and its name is in the output
"$program" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 -max_len="$largest" -verbosity=0 -print_final_stats=1 \
  -artifact_prefix="$(dirname "$program")/" "$folder/corpus" || { echo "exit $? of $program"; exit 1; }  # its 77 would be a skip
