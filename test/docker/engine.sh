#!/usr/bin/env bash
# A docker engine of its own on a machine that has none running: `engine.sh up DIR`, `engine.sh down DIR`.
#
# It lives in a network namespace, since an engine changes the packet filter of the one it runs in,
# and keeps everything it has below DIR. `down` takes away all that `up` has made, by the process id
# that `up` noted; it may be repeated. Needs root; Debian's packages are named where one is missing.
#
# Base images come from a registry where one can be reached. Where not, the one that the Dockerfile
# names is made here, of Debian and the Node.js of this machine.
set -euo pipefail

usage="usage: engine.sh up DIR | engine.sh down DIR"
action="${1:?$usage}"
dir="${2:?$usage}"
namespace=holdfast-docker
link=hfdock0
table=holdfast_docker
base=node:24-bookworm-slim
pull_seconds_max=30
export DOCKER_HOST="unix://$dir/docker.sock"

give_up() { # message
  echo "engine.sh: $1" >&2
  exit 1
}

check_machine() {
  [ "$(id -u)" -eq 0 ] || give_up "an engine needs root; or start one yourself and set DOCKER_HOST"
  local tool missing=()
  for tool in ip:iproute2 nft:nftables iptables:iptables dockerd:docker.io docker:docker.io \
    debootstrap:debootstrap nsenter:util-linux; do
    command -v "${tool%%:*}" >/dev/null || missing+=("${tool##*:}")
  done
  [ "${#missing[@]}" -eq 0 ] || give_up "install ${missing[*]} first (apt-get install ${missing[*]})"
  [ ! -e "/run/netns/$namespace" ] ||
    give_up "the namespace $namespace exists: another run is under way, or was killed ('engine.sh down' of its DIR ends it)"
}

make_network() {
  ip netns add "$namespace"
  ip link add "$link" type veth peer name eth0 netns "$namespace"
  ip addr add 10.98.0.1/30 dev "$link"
  ip link set "$link" up
  ip -n "$namespace" addr add 10.98.0.2/30 dev eth0
  ip -n "$namespace" link set eth0 up
  ip -n "$namespace" link set lo up
  ip -n "$namespace" route add default via 10.98.0.1
  cat /proc/sys/net/ipv4/ip_forward >"$dir/ip_forward.before"
  echo 1 >/proc/sys/net/ipv4/ip_forward
  nft add table ip "$table"
  nft "add chain ip $table post { type nat hook postrouting priority 100; }"
  nft "add rule ip $table post ip saddr 10.98.0.0/30 masquerade"
}

start_engine() {
  # What the caller holds open, a lock for instance, is not the engine's to keep.
  (
    for fd in /proc/self/fd/*; do
      fd="${fd##*/}"
      [ "$fd" -le 2 ] || eval "exec $fd>&-"
    done
    # nsenter, not `ip netns exec`, which hides /sys/fs/cgroup.
    exec setsid nsenter --net="/run/netns/$namespace" dockerd --data-root "$dir/data" \
      --exec-root "$dir/exec" --host "$DOCKER_HOST" --pidfile "$dir/docker.pid" \
      --storage-driver overlay2 </dev/null >"$dir/dockerd.log" 2>&1
  ) &
  for _ in $(seq 120); do
    if docker version >/dev/null 2>&1; then return; fi
    sleep 0.25
  done
  tail -20 "$dir/dockerd.log" >&2
  give_up "dockerd does not answer; its last lines are above"
}

make_base_image() {
  if timeout "$pull_seconds_max" docker pull -q "$base" >/dev/null 2>&1; then
    return
  fi
  echo "engine.sh: no registry can be reached: $base is made of Debian and Node.js $(node --version)"
  local root="$dir/rootfs"
  debootstrap --variant=minbase bookworm "$root" >"$dir/debootstrap.log" ||
    { tail -5 "$dir/debootstrap.log" >&2; give_up "debootstrap failed; its last lines are above"; }
  rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/*
  mkdir -p "$root/usr/local/lib/node_modules" "$root/usr/local/etc" "$root/etc/ssl/certs"
  cp -L "$(command -v node)" "$root/usr/local/bin/node"
  cp -a "$(npm root -g)/npm" "$root/usr/local/lib/node_modules/"
  ln -s ../lib/node_modules/npm/bin/npm-cli.js "$root/usr/local/bin/npm"
  ln -s ../lib/node_modules/npm/bin/npx-cli.js "$root/usr/local/bin/npx"
  chroot "$root" groupadd -g 1000 node
  chroot "$root" useradd -u 1000 -g node -s /bin/bash -m node
  # npm trusts whom this machine trusts.
  cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
  echo cafile=/etc/ssl/certs/ca-certificates.crt >"$root/usr/local/etc/npmrc"
  tar -C "$root" -c . | docker import -c 'CMD ["node"]' - "$base" >/dev/null
  rm -rf "$root"
}

stop_engine() {
  [ -e "$dir/docker.pid" ] || return 0
  local pid
  pid="$(cat "$dir/docker.pid")"
  docker ps -aq 2>/dev/null | xargs -r docker rm -f >/dev/null 2>&1 || true
  kill "$pid" 2>/dev/null || true
  for _ in $(seq 150); do
    kill -0 "$pid" 2>/dev/null || return 0
    sleep 0.2
  done
  give_up "dockerd (process $pid) does not end"
}

remove_network() {
  umount "$dir/exec/netns/default" 2>/dev/null || true
  [ ! -e "/run/netns/$namespace" ] || ip netns del "$namespace"
  nft list table ip "$table" >/dev/null 2>&1 && nft delete table ip "$table"
  [ ! -e "$dir/ip_forward.before" ] || cat "$dir/ip_forward.before" >/proc/sys/net/ipv4/ip_forward
}

case "$action" in
  up)
    check_machine
    mkdir -p "$dir"
    trap 'stop_engine; remove_network; rm -rf "$dir/data" "$dir/rootfs"' ERR
    make_network
    start_engine
    make_base_image
    ;;
  down)
    stop_engine
    remove_network
    rm -rf "$dir"
    ;;
  *) give_up "$usage" ;;
esac
