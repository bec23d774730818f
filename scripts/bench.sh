#!/usr/bin/env bash
# `npm run bench -- NAME [--json]`: one benchmark, with its reference in the same run. Without NAME, lists them.
set -uo pipefail
. "$(dirname "$0")/setup.sh"
trap teardown EXIT
cd "$root" || exit 1
name=${1:-}
if [ -z "$name" ] || [ ! -f "bench/$name.ts" ]; then
  printf 'usage: npm run bench -- NAME [--json]\nNAME is one of: %s\n' "$(cd bench && ls ./*.ts | sed 's#\./##; s#\.ts$##' | tr '\n' ' ')" >&2
  exit 2
fi
shift
setup run >&2 # only figures belong on standard output
node --enable-source-maps "dist/bench/$name.js" "$@"
