#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# new.sh KIND NAME [ID]: a plugin of its own in the directory NAME, made from the template beside this file.
# KIND: check, task or notifier. NAME: [a-z][a-z0-9-]*, the name in `use = "NAME"`. ID: reverse DNS, org.example.NAME if absent.
set -eu
usage() { echo "usage: new.sh check|task|notifier NAME [ID]" >&2; exit 2; }
[ $# = 2 ] || [ $# = 3 ] || usage
kind=$1 name=$2 id=${3:-org.example.$2}
from=$(cd "$(dirname "$0")" && pwd)/$kind
case $kind in check | task | notifier) ;; *) usage ;; esac
echo "$name" | grep -Eqx '[a-z][a-z0-9-]*' || { echo "new.sh: '$name' is no name: [a-z][a-z0-9-]*" >&2; exit 2; }
echo "$id" | grep -Eqx '[a-z0-9-]+(\.[a-z0-9-]+)+' || { echo "new.sh: '$id' is no id: reverse DNS, [a-z0-9.-]" >&2; exit 2; }
[ ! -e "$name" ] || { echo "new.sh: $name exists" >&2; exit 1; }
class=$(echo "$name" | awk -F- '{ for (i = 1; i <= NF; ++i) printf "%s%s", toupper(substr($i, 1, 1)), substr($i, 2) }')

cp -r "$from" "$name"
find "$name" -name '*@NAME@*' | while read -r file; do
  mv "$file" "$(dirname "$file")/$(basename "$file" | sed "s/@NAME@/$name/")"
done
find "$name" -type f -exec sed -i "s/@NAME@/$name/g; s/@CLASS@/$class/g; s/@ID@/$id/g" {} +
echo "$name: a $kind; build it with: cmake -S $name -B $name/build && cmake --build $name/build"
