#!/usr/bin/env bash
# `npm run soak -- NAME [--seed N]`: one test at its full count. Without NAME, lists them.
set -uo pipefail
. "$(dirname "$0")/setup.sh"
trap teardown EXIT
setup test
cd "$root" || exit 1
node --enable-source-maps dist/test/support/soak.js "$@"
