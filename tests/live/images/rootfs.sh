#!/usr/bin/env bash
# Root file systems for the images, made from Debian's packages. Sourced by
# build.sh; needs root and $work.

mirror="${DEBIAN_MIRROR:-http://deb.debian.org/debian}"

# Runs a command inside a root file system with its own /proc, mount table and
# process numbers: nothing it starts or mounts can outlive it.
in_root() { # in_root ROOT COMMAND…
  local root="$1"
  shift
  DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 \
    unshare --mount --pid --fork --mount-proc="$root/proc" chroot "$root" "$@"
}

make_bookworm() { # make_bookworm ROOT
  debootstrap --variant=minbase --include=busybox-static bookworm "$1" "$mirror"
}

# Debian's Valkey 8.1 with the user ids of valkey/valkey:8.1-alpine.
make_trixie() { # make_trixie ROOT
  debootstrap --variant=minbase --include=valkey-server,valkey-tools trixie "$1" "$mirror" || return 1
  in_root "$1" groupmod -o -g 1000 valkey || return 1
  in_root "$1" usermod -o -u 999 -g 1000 -d /data valkey || return 1
  rm -rf "$1/var/lib/valkey" "$1/var/log/valkey" "$1/etc/valkey"
}

# Debian's PostgreSQL 15 with the user ids of postgres:15-alpine.
make_postgres() { # make_postgres BASE ROOT
  local root="$2"
  cp -a "$1" "$root" || return 1
  # The package would make and start a cluster of its own.
  mkdir -p "$root/etc/postgresql-common"
  echo 'create_main_cluster = false' >"$root/etc/postgresql-common/createcluster.conf"
  printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
  chmod 0755 "$root/usr/sbin/policy-rc.d"
  in_root "$root" apt-get install -y -qq --no-install-recommends -o Dpkg::Options::=--force-unsafe-io \
    postgresql-15 postgresql-client-15 || return 1
  in_root "$root" groupmod -g 70 postgres || return 1
  in_root "$root" usermod -u 70 -g 70 postgres || return 1
  # Just-in-time compilation needs 110 MB of LLVM. The server looks for this
  # plugin and does without when it is missing.
  rm -f "$root"/usr/lib/postgresql/15/lib/llvmjit* "$root"/usr/lib/*/libLLVM* "$root"/usr/lib/*/libz3*
  rm -rf "$root/usr/lib/postgresql/15/lib/bitcode" "$root/etc/postgresql" "$root/usr/sbin/policy-rc.d"
}

# A small Debian with a Node program off PATH; busybox goes into the build
# context instead, since only some images may have wget.
make_stand_in_base() { # make_stand_in_base BASE ROOT NODE BUSYBOX
  local root="$2" node="$3" library name
  cp -a "$1" "$root"
  mv "$root/bin/busybox" "$4"
  chmod 0755 "$4"
  install -D -m 0755 "$node" "$root/opt/stand-in/node"
  # The host's node may be linked against libraries that the base lacks.
  ldd "$node" | awk '$3 ~ /^\// { print $3 }' | while read -r library; do
    name="$(basename "$library")"
    if [ -z "$(find "$root/lib/" "$root/usr/lib/" -name "$name" -print -quit)" ]; then
      install -m 0644 "$(readlink -f "$library")" "$root/usr/lib/$name"
    fi
  done
  in_root "$root" /opt/stand-in/node --version >/dev/null || fail "this machine's node does not run on Debian bookworm"
}

# ClickHouse's own engine as a Python module (PyPI's chdb-core-lite, for the Python of bookworm), off PATH.
chdb=26.5.0
make_clickhouse_base() { # make_clickhouse_base STAND-IN-BASE ROOT
  local root="$2" wheels="$2.wheels"
  python3 -m pip download --quiet --no-deps --only-binary=:all: --python-version 3.11 \
    --platform "manylinux2014_$(uname -m)" --dest "$wheels" "chdb-core-lite==$chdb" || return 1
  cp -a "$1" "$root" || return 1
  in_root "$root" apt-get install -y -qq --no-install-recommends -o Dpkg::Options::=--force-unsafe-io python3 || return 1
  mv "$root/usr/bin/python3.11" "$root/opt/stand-in/python" || return 1
  rm -f "$root"/usr/bin/py*
  mkdir "$root/opt/stand-in/chdb" || return 1
  python3 -m zipfile -e "$wheels"/chdb_core_lite-*.whl "$root/opt/stand-in/chdb" || return 1
  PYTHONHOME=/usr in_root "$root" /opt/stand-in/python -c 'import http.server'
}

# Imports a root file system without what no test reads: package lists and
# caches, documentation, translations. Time zones stay (PostgreSQL needs them).
import_rootfs() { # import_rootfs ROOT IMAGE
  tar -C "$1" --numeric-owner -c \
    --exclude='./proc/*' --exclude='./sys/*' --exclude='./dev/*' --exclude='./tmp/*' \
    --exclude='./var/cache/*' --exclude='./var/lib/apt/lists/*' --exclude='./var/log/*' \
    --exclude='./var/lib/dpkg/info/*.md5sums' \
    --exclude='./usr/share/doc/*' --exclude='./usr/share/man/*' --exclude='./usr/share/info/*' \
    --exclude='./usr/share/locale/*' --exclude='./usr/share/i18n/*' --exclude='./usr/lib/*/gconv/*' \
    --exclude='./usr/lib/*/perl/*/auto/Encode/*' \
    . | docker import - "$2" >/dev/null
  step "imported $2"
}
