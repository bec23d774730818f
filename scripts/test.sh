#!/usr/bin/env bash
# `npm test [-- MOCHA OPTIONS]`: sets up what the tests need, runs them, and shows that nothing of theirs is left.
set -uo pipefail
. "$(dirname "$0")/setup.sh"
trap teardown EXIT
setup test
cd "$root" || exit 1
node --enable-source-maps dist/test/support/run.js "$@"
code=$?
teardown
cat .test/summary 2>/dev/null || echo "0 passed, 1 failed, 0 skipped" # the runner died before it could count
exit "$code"
