#!/usr/bin/env bash
# `npm run quickstart [-- --once]`: from a fresh clone to real containers, declared in YAML, kept running.
set -uo pipefail
. "$(dirname "$0")/setup.sh"
trap teardown EXIT
setup run
# Ctrl-C is for the quickstart, which stops what it started; the shell only waits for it.
trap : INT TERM
node --enable-source-maps "$root/dist/scripts/quickstart.js" "$@"
