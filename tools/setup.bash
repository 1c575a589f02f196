# SPDX-License-Identifier: Apache-2.0
# Sourced by ./run and ./test: Debian packages installed when missing, steps shown as they go.

# What each package is for is in HACKING.md. package=probe: a command, or a file (may be a glob).
packages_to_build=(cmake=cmake ninja-build=ninja g++=g++ node-llhttp=/usr/share/llhttp/llhttp.c
  liburing-dev=/usr/include/liburing.h libc-ares-dev=/usr/include/ares.h
  libcli11-dev=/usr/include/CLI/CLI.hpp nlohmann-json3-dev=/usr/include/nlohmann/json.hpp)
packages_to_test=("${packages_to_build[@]}" python3=python3 libgtest-dev=/usr/include/gtest/gtest.h
  libgmock-dev=/usr/include/gmock/gmock.h clang-format=clang-format gdb=gdb)
packages_to_test_all=("${packages_to_test[@]}" clang=clang++ lld=ld.lld
  llvm-14=/usr/lib/llvm-14/bin/llvm-ar
  libclang-rt-14-dev='/usr/lib/llvm-14/lib/clang/*/lib/linux/libclang_rt.tsan-*.a'
  libbenchmark-dev=/usr/include/benchmark/benchmark.h
  libboost-context-dev=/usr/include/boost/context/fiber.hpp
  wrk=wrk slowhttptest=slowhttptest strace=strace
  valgrind=valgrind curl=curl procps=ps)
packages_to_test_full=("${packages_to_test_all[@]}" clang-tidy=run-clang-tidy-14 cppcheck=cppcheck)

die() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

probe() {
  case $1 in
    /*) compgen -G "$1" >/dev/null ;;
    *) command -v "$1" >/dev/null ;;
  esac
}

# ensure_packages package=probe...: installs those whose probe finds nothing.
ensure_packages() {
  local entry missing=()
  for entry in "$@"; do
    probe "${entry#*=}" || missing+=("${entry%%=*}")
  done
  [ ${#missing[@]} -eq 0 ] && return
  command -v apt-get >/dev/null ||
    die "missing: ${missing[*]} (Debian 12's names). There is no apt-get here; install them by hand."
  local as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || die "installing needs root. Run as root: apt-get install ${missing[*]}"
    as_root=(sudo)
  fi
  echo "Installing ${#missing[@]} Debian packages with apt-get: ${missing[*]}"
  local log=build/log/apt.log
  mkdir -p build/log
  apt_step "reading the package lists" "$log" "${as_root[@]}" apt-get -q update ||
    die "apt-get update failed (see above and $log). Is there a network, and a mirror in /etc/apt?"
  apt_step "downloading and unpacking" "$log" "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get -q -y -o Dpkg::Use-Pty=0 install --no-install-recommends "${missing[@]}" ||
    die "apt-get install failed (see above and $log)"
}

apt_step() {
  local what=$1 log=$2
  shift 2
  echo "  $what"
  "$@" </dev/null 2>&1 | progress "$log"
  local status=${PIPESTATUS[0]}
  [ "$status" -eq 0 ] || tail -n 15 "$log" >&2
  return "$status"
}

# progress LOG: copies stdin to LOG and shows a line of it every five seconds.
progress() {
  local line last=$SECONDS
  while IFS= read -r line; do
    printf '%s\n' "$line"
    if [ $((SECONDS - last)) -ge 5 ]; then
      printf '  ... %s\n' "${line:0:100}" >&2
      last=$SECONDS
    fi
  done >"$1"
}
