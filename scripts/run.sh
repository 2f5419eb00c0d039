#!/bin/sh
# usage: sh scripts/run.sh FILE [ARGUMENTS]
# Runs one of this repository's programs on Node 24, setting the clone up first when needed. The
# shell becomes node, so that signals and the exit code are the program's own.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
sh "$root/scripts/setup.sh" || exit 1

program=$root/$1
shift
PATH=$root/node_modules/.bin:$PATH
# What V8 compiled is kept for the next start and for every process of a fleet: each of them starts with
# less than half the work. One file a module, so it grows no further.
NODE_COMPILE_CACHE=${NODE_COMPILE_CACHE-$root/.cache/node}
export PATH NODE_COMPILE_CACHE
exec "$root/node_modules/.bin/node" "$program" "$@"
