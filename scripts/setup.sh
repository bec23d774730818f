# shellcheck shell=bash
# Sourced by the scripts behind `npm run quickstart`, `npm test`, `npm run soak` and `npm run bench`.
#   setup run    what Davit itself needs: npm packages, the build, nats-server, a Docker Engine, kubectl, busybox
#   setup test   the same, and what the tests need
# Says each thing it does. Without root or sudo it names what is missing and changes nothing.
# What it started is stopped by `teardown`, which the caller's EXIT trap runs.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
engine_pid=""
engine_log=""
say() { printf 'davit set-up: %s\n' "$*"; }
die() {
  printf 'davit set-up: %s\n' "$*" >&2
  exit 1
}
has() { command -v "$1" >/dev/null 2>&1; }

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }
# Asks for a password only where a person can type one.
may_be_root() {
  [ "$(id -u)" = 0 ] || { has sudo && { sudo -n true 2>/dev/null || { [ -t 0 ] && sudo -v; }; }; }
}
engine_answers() { has docker && [ -n "$(docker version --format '{{.Server.Version}}' 2>/dev/null)" ]; }
static_busybox() { has busybox && ! ldd "$(command -v busybox)" 2>/dev/null | grep -q libc; }

# Debian's names of what is missing, one a line.
missing_packages() {
  has nats-server || echo nats-server
  has kubectl || echo kubernetes-client
  static_busybox || echo busybox-static
  if ! engine_answers; then
    has dockerd || echo docker.io
    # Debian 13 keeps the client in a package of its own; Debian 12 has no such package.
    if ! has docker && apt-cache show docker-cli >/dev/null 2>&1; then echo docker-cli; fi
  fi
  [ "$1" = test ] || return 0
  has strace || echo strace
  has docker-registry || echo docker-registry
  has ip || echo iproute2
  has systemd-analyze || echo systemd # only its checker of units is used; nothing of it is started
  has python3 || echo python3
}

install_missing() {
  local missing
  missing=$(missing_packages "$1" | tr '\n' ' ')
  [ -n "$missing" ] || return 0
  has apt-get || die "this is no Debian; please install what these Debian packages hold, then run this again: $missing"
  may_be_root || die "neither root nor sudo to install what is missing; please run: apt-get install $missing"
  say "apt-get update"
  as_root apt-get update -qq >/dev/null || say "apt-get update failed; going on with the package lists that are there"
  missing=$(missing_packages "$1" | tr '\n' ' ') # the new lists may know of docker-cli
  say "apt-get install $missing"
  # shellcheck disable=SC2086
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null ||
    die "apt-get could not install: $missing"
  stop_packaged_units "$missing"
}

# A package may bring a service unit and start it. Davit starts a nats-server of its own, the tests a registry of theirs.
stop_packaged_units() {
  [ -d /run/systemd/system ] || return 0
  local package unit
  for package in $1; do
    for unit in $(dpkg -L "$package" | sed -nE 's#.*/systemd/system/([^/@]*\.(service|socket))$#\1#p' | sort -u); do
      say "stopping and disabling $unit, which $package brought"
      as_root systemctl disable --now --quiet "$unit" || say "could not disable $unit"
    done
  done
}

start_engine() {
  engine_answers && return 0
  [ -z "${DOCKER_HOST:-}" ] || die "no Docker Engine answers at DOCKER_HOST=$DOCKER_HOST; start it, or unset DOCKER_HOST"
  may_be_root || die "no Docker Engine answers, and neither root nor sudo to start one; please start it"
  engine_log=$(mktemp -t davit-dockerd.XXXXXX)
  say "no Docker Engine answers: starting dockerd (log: $engine_log)"
  # The socket's group is the caller's, so that a plain user may talk to an engine that sudo started.
  as_root setsid sh -c 'echo $$; exec dockerd --group "$1" >"$2" 2>&1' sh "$(id -gn)" "$engine_log" >"$engine_log.pid" &
  local tries=0
  until engine_answers; do
    tries=$((tries + 1))
    engine_pid=$(cat "$engine_log.pid" 2>/dev/null)
    if [ "$tries" -ge 300 ] || { [ -n "$engine_pid" ] && [ ! -d "/proc/$engine_pid" ]; }; then
      tail -n 5 "$engine_log" >&2
      die "dockerd does not come up; its last words are above, all of them in $engine_log"
    fi
    sleep 0.2
  done
  engine_pid=$(cat "$engine_log.pid")
}

install_modules() {
  cd "$root" || exit 1
  if [ ! -e node_modules/.package-lock.json ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
    say "npm ci"
    npm ci --no-progress --loglevel=error || die "npm ci failed"
    touch node_modules/.package-lock.json
  fi
  say "building"
  npx --no-install tsc -p . || die "the build failed"
}

setup() {
  export PATH="$PATH:/usr/sbin:/sbin"
  has node || die "node is missing: Node.js 20.19 or newer is needed"
  node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)' ||
    die "Node.js $(node --version) is too old: 20.19 or newer is needed"
  install_missing "$1"
  install_modules
  start_engine
}

teardown() {
  [ -n "$engine_pid" ] || return 0
  say "stopping the dockerd that this script started"
  as_root kill "$engine_pid" 2>/dev/null
  local tries=0
  while [ -d "/proc/$engine_pid" ] && [ "$tries" -lt 150 ]; do
    tries=$((tries + 1))
    sleep 0.2
  done
  rm -f "$engine_log" "$engine_log.pid"
  engine_pid=""
}
