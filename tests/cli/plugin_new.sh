#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# plugin_new.sh BUILD_DIR KIND: from `ronda plugin new` to a plugin that runs and is installed, outside our tree, built
# with nothing but the SDK of an installed prefix.
set -eu
build=$1 kind=$2
ronda=$build/bin/ronda
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
fail() { echo "plugin_new: $*" >&2; exit 1; }

cmake --install "$build" --component sdk --prefix "$work/prefix" > "$work/install.log" || fail "install: $(cat "$work/install.log")"
cd "$work"
"$ronda" plugin new "$kind" tidy-up --id org.acme.tidy > new.log || fail "new: $(cat new.log)"
"$ronda" plugin new "$kind" tidy-too --output json | grep -q "^{.*\"directory\":\"tidy-too\".*\"id\":\"org.example.tidy-too\".*}\$" || fail "new in JSON"
rm -r tidy-too
if grep -rn '@[A-Z]*@' tidy-up; then fail "a placeholder is left"; fi
if "$ronda" plugin new "$kind" tidy-up 2> /dev/null; then fail "new overwrites what is there"; fi
for name in Tidy 1st tidy_up ../up task; do
  if "$ronda" plugin new "$kind" "$name" 2> /dev/null; then fail "the name $name is taken"; fi
done
if "$ronda" plugin new "$kind" tidy --id tidy 2> /dev/null; then fail "an id without a dot is taken"; fi
[ ! -e tidy ] || fail "a refused plugin leaves files"

cmake -S tidy-up -B tidy-up/build -DCMAKE_PREFIX_PATH="$work/prefix" > build.log 2>&1 &&
  cmake --build tidy-up/build >> build.log 2>&1 || fail "build: $(cat build.log)"
(cd tidy-up/build && ctest --output-on-failure > ../../ctest.log 2>&1) || fail "its own test: $(cat ctest.log)"
file=$work/tidy-up/build/tidy-up.so

"$ronda" plugin inspect "$file" > inspect.log || fail "inspect: $(cat inspect.log)"
grep -q 'org.acme.tidy 0.1.0' inspect.log || fail "inspect does not name it: $(cat inspect.log)"
"$ronda" plugin lint "$file" > lint.log || fail "lint: $(cat lint.log)"
"$ronda" plugin test "$file" > test.log || fail "test: $(cat test.log)"
"$ronda" plugin schema "$file" | python3 -m json.tool > /dev/null || fail "the schema is no JSON"

case $kind in
  check) "$ronda" plugin run "$file" --set warn_at=100% --set crit_at=100% > run.log 2>&1 || fail "run: $(cat run.log)"
    grep -q '^OK - tidy-up: / is .* full | used=' run.log || fail "run says: $(cat run.log)"
    status=0
    "$ronda" plugin run "$file" --set warn_at=0% --set crit_at=0% > run.log 2>&1 || status=$?
    [ "$status" = 2 ] || fail "a critical check exits $status: $(cat run.log)"
    # without CMake: one compiler, the flags that are printed, the same plugin
    mkdir plain
    # shellcheck disable=SC2046 # the flags are words
    (cd tidy-up && c++ -std=c++17 $("$ronda" plugin ld-args) -DRONDA_MANIFEST='"plugin.toml"' -include ronda/manifest.h \
      tidy-up.cpp -o ../plain/tidy-up.so) || fail "c++ with ld-args"
    "$ronda" plugin lint plain/tidy-up.so > lint.log || fail "lint of the plain one: $(cat lint.log)"
    "$ronda" plugin run plain/tidy-up.so --set warn_at=100% --set crit_at=100% > run.log 2>&1 || fail "run of the plain one: $(cat run.log)" ;;
  *) status=0
    "$ronda" plugin run "$file" --dry-run > run.log 2>&1 || status=$?
    grep -Eq '^(CHANGED|UNCHANGED|SKIPPED|DELIVERED|FAILED|RETRY|DROPPED) - tidy-up: ' run.log || grep -q 'is missing' run.log ||
      fail "run exits $status: $(cat run.log)" ;;
esac

mkdir plugins
"$ronda" plugin install "$file" --yes --plugins "$work/plugins" --trust "$work/none.toml" > place.log || fail "install: $(cat place.log)"
"$ronda" plugin list --plugins "$work/plugins" --trust "$work/none.toml" | grep -q '^ok *org.acme.tidy' || fail "it is not listed"
echo ok
