#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# guide.sh SOURCE_DIR: the author's guide speaks of what is there: its example compiles, every rule number of the
# headers, every kind, service, grant and option type of the code is in it, and every rule number is there once.
# words of a list become arguments of their own
# shellcheck disable=SC2046
set -eu
root=$1
guide=$root/sdk/README.md include=$root/sdk/include
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0
complain() { echo "guide: $*" >&2; failed=1; }

awk '/^```cpp/ { on = 1; next } /^```/ { exit_after = on; on = 0 } exit_after { exit } on' "$guide" > "$work/first.cpp"
grep -q RONDA_PLUGIN "$work/first.cpp" || complain "the first example is not a whole plugin"
c++ -std=c++17 -Wall -Wextra -Werror -fsyntax-only -I"$include" "$work/first.cpp" || complain "the first example does not compile"

# names WHAT LEAST WORD..: the guide has each word in backquotes, alone or followed by more; there are at least LEAST
names() {
  what=$1 least=$2
  shift 2
  [ $# -ge "$least" ] || complain "only $# of $what were found in the code"
  for word in "$@"; do
    grep -qE "\`${word}[\` ]" "$guide" || complain "it does not name the $what $word"
  done
}
# quoted FUNCTION FILE: the words that a function's table has in quotes
quoted() { sed -n "/$1() {/,/};/p" "$2" | grep -o '"[a-z]*"' | tr -d '"'; }
names "kind or service" 13 $(sed -n 's/.* id RONDA_\(KIND\|SERVICE\)_[A-Z]* "\(.*\)"/\2/p' "$root/sdk/abi/layout.golden")
names "grant" 9 $(quoted grant_names "$root/agent/plugin/manifest.cpp")
names "option type" 19 $(quoted type_names "$root/agent/plugin/option.cpp")

for rule in $(grep -rhoE 'RONDA-P-[0-9]{3}' "$include" | sort -u); do
  grep -q "^| $rule |" "$guide" || complain "$rule of the headers is no row of its table"
done
twice=$(grep -oE '^\| RONDA-P-[0-9]{3}' "$guide" | sort | uniq -d)
[ -z "$twice" ] || complain "more than one row for $twice"

# what `ronda plugin test` tries and the rows that name it are the same numbers
tried=$(grep -oE '\{"RONDA-P-[0-9]{3}"' "$root/agent/plugin/contract_rules.hpp" | tr -d '{"' | sort)
named=$(awk -F ' *[|] *' '$2 ~ /^RONDA-P-/ && $4 ~ /plugin test/ { print $2 }' "$guide" | sort)
[ "$(echo "$tried" | wc -l)" -ge 18 ] || complain "hardly a rule was found that plugin test tries"
[ "$tried" = "$named" ] || complain "plugin test tries" $tried "and the guide says" $named
[ "$failed" = 0 ] || exit 1
echo ok
