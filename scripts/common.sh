# Shared by the scripts beside it: packages and builds. Sourced, not run.

say() { printf '== %s\n' "$*" >&2; }
fail() { printf '%s: %s\n' "$(basename "$0")" "$*" >&2; exit 1; }

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# tracked [OPTION] PATTERN...: files that git knows. Git by itself refuses a checkout of another user, which a mounted one is to root in
# a container; whoever runs a script of it trusts it already.
tracked() {
  git -c 'safe.directory=*' -C "$root" ls-files --error-unmatch "$@" 2>/dev/null ||
    fail "needs a git checkout, whose list of files says what to look at; found none in $root"
}

# install_packages GROUP...: installs what is missing of the named groups of packages.txt.
install_packages() {
  local group package missing=() as_root=()
  for group in "$@"; do
    while read -r package; do
      dpkg-query -W -f='${Status}\n' "$package" 2>/dev/null | grep -q '^install ok installed$' || missing+=("$package")
    done < <(awk -v g="$group" '$1 == g {print $2}' "$root/scripts/packages.txt")
  done
  [ ${#missing[@]} -eq 0 ] && return 0
  command -v apt-get >/dev/null || fail "needs the packages: ${missing[*]} (no apt-get here to install them)"
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || fail "needs the packages: ${missing[*]}; run as root, or install sudo"
    as_root=(sudo)
  fi
  say "installing ${#missing[@]} packages: ${missing[*]}"
  "${as_root[@]}" apt-get -qq update
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "${missing[@]}" >/dev/null
}

# build PRESET [TARGET...]: configures (once, or again when configure_options are given) and builds.
configure_options=()
build() {
  local preset=$1
  shift
  if [ ! -f "$root/build/$preset/build.ninja" ] || [ ${#configure_options[@]} -gt 0 ]; then
    (cd "$root" && cmake --preset "$preset" "${configure_options[@]}" >/dev/null) ||
      fail "the configuration of preset '$preset' failed (run: cmake --preset $preset)"
  fi
  say "building preset $preset"
  cmake --build "$root/build/$preset" ${1:+--target "$@"}
}

# build_ernn: the program alone, without the tests' packages where nothing has been configured yet. Sets ernn to its path.
build_ernn() {
  install_packages build
  [ -f "$root/build/release/build.ninja" ] || configure_options=(-DERNN_BUILD_TESTS=OFF)
  build release ernn
  ernn=$root/build/release/ernn
}
