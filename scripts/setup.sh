#!/bin/sh
# Makes a clone ready to run: installs the packages of package-lock.json when they are missing or
# older than it, Node 24 among them (the npm package `node`). Needs a Node 20 or later, npm 10 or
# later and npm's registry, nothing else; neither root nor a global install.
#
# Speaks on standard error only, so that a command behind it owns standard output. Does nothing, in
# a few milliseconds, when all is there. Two at once: the second waits for the first (where flock
# exists; elsewhere the later npm fails and says so).
set -eu

cd "$(dirname "$0")/.."
installed=node_modules/.package-lock.json # npm writes it last, so its presence means a whole install
node=node_modules/.bin/node
log=.cache/setup.log

say() { printf '%s\n' "$*" >&2; }
fail() {
  say "✖ $1"
  shift
  for line in "$@"; do say "  $line"; done
  exit 1
}

up_to_date() {
  [ -e "$installed" ] && [ -z "$(find package-lock.json -newer "$installed")" ]
}
node_is_24() {
  case "$("$node" --version 2>/dev/null)" in v24.*) return 0 ;; *) return 1 ;; esac
}

if up_to_date && node_is_24; then exit 0; fi

command -v npm >/dev/null 2>&1 ||
  fail 'npm is not installed' 'Install Node.js 20 or later with npm (on Debian and Ubuntu: apt-get install nodejs npm).'
mkdir -p .cache 2>/dev/null && [ -w .cache ] && [ -w . ] ||
  fail "no permission to write in $(pwd)" 'The packages are installed into this folder: own it, or clone it somewhere else.'

exec 9>.cache/setup.lock
if command -v flock >/dev/null 2>&1 && ! flock -n 9; then
  say 'ℹ another start is setting up this clone: waiting for it (at most 10 minutes)'
  flock -w 600 9 || fail 'the other set-up did not end' "Look for a hanging npm ci; its output is in $log."
fi

# Runs npm with its output in the log, and shows that time passes.
npm_job=
trap 'if [ -n "$npm_job" ]; then kill "$npm_job" 2>/dev/null || true; fi; exit 130' INT TERM HUP
run_npm() {
  what=$1
  shift
  started=$(date +%s)
  seconds=0
  [ -t 2 ] || say "ℹ $what"
  # npm run hands its own options down in the environment; -s would hide the reason of a failure,
  # and NODE_ENV=production would leave out Node and the tools.
  npm "$@" --loglevel=notice --no-progress --no-audit --no-fund --include=dev --ignore-scripts=false \
    >"$log" 2>&1 9>&- </dev/null &
  npm_job=$!
  while kill -0 "$npm_job" 2>/dev/null; do
    sleep 1 9>&-
    seconds=$(($(date +%s) - started))
    if [ -t 2 ]; then
      printf '\rℹ %s … %s s ' "$what" "$seconds" >&2
    elif [ $((seconds % 15)) -eq 0 ] && [ "$seconds" -gt 0 ]; then
      say "  … $seconds s"
    fi
  done
  [ ! -t 2 ] || printf '\r\033[K' >&2
  status=0
  wait "$npm_job" || status=$?
  npm_job=
  return "$status"
}

explain_npm() {
  say '  What npm said:'
  { grep -iE '^npm err' "$log" || tail -n 12 "$log"; } | head -n 12 | sed 's/^/    /' >&2
  if grep -q ENOSPC "$log"; then
    say '  The disk is full: the packages need about 800 MB.'
  elif grep -Eq 'EACCES|EPERM' "$log"; then
    say "  A permission is missing. Does $(npm config get cache) belong to you?"
  elif grep -Eq 'ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|E50[0-9]' "$log"; then
    say "  npm's registry was not reached: $(npm config get registry)"
  elif grep -q 'can only install packages when' "$log"; then
    say '  package.json and package-lock.json disagree: run npm install, and commit both.'
  fi
  say "  All of it: $(pwd)/$log"
}

if ! up_to_date; then
  packages=$(grep -c '"node_modules/' package-lock.json)
  if ! run_npm "installing $packages packages, once (a minute or two)" ci; then
    say '✖ the packages could not be installed'
    explain_npm
    exit 1
  fi
  say "✔ packages installed in $seconds s"
fi

# An npm that is told to run no install scripts leaves the Node package empty.
if ! node_is_24; then
  if ! run_npm 'fetching Node 24' rebuild node || ! node_is_24; then
    say '✖ Node 24 is not there: the npm package node did not bring its program'
    say "  It is fetched from npm's registry as node-$(uname -s | tr '[:upper:]' '[:lower:]')-… while npm installs."
    explain_npm
    exit 1
  fi
  say "✔ Node 24 fetched in $seconds s"
fi
