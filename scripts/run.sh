#!/bin/sh
# Runs a program of the project with Bun, on a machine that has Node and npm, or Bun, and nothing else.
# Arranges first what is missing: Bun itself, the dependencies, then what scripts/setup.ts sees to.
#   sh scripts/run.sh PROGRAM [ARGUMENT ...]
set -eu
cd "$(dirname "$0")/.."
wanted=$(sed -n 's/.*"packageManager": "bun@\(.*\)".*/\1/p' package.json)

# Whether $1 is a Bun that runs here and is not older than the wanted one.
suits() {
  version=$("$1" --version 2>/dev/null) || return 1
  [ "$(printf '%s\n%s\n' "$wanted" "$version" | sort -V | head -n 1)" = "$wanted" ]
}

# Prints the path of the first Bun that suits: the user's own, or one of those installed here.
find_bun() {
  for candidate in "$(command -v bun || true)" .tools/node_modules/@oven/bun-*/bin/bun; do
    if [ -n "$candidate" ] && suits "$candidate"; then
      echo "$candidate"
      return
    fi
  done
}

bun=$(find_bun)
if [ -z "$bun" ]; then
  echo "Setting up: Bun $wanted, into .tools/" >&2
  mkdir -p .tools
  echo '{ "private": true }' > .tools/package.json
  # The binaries are packages of their own: no install script is needed to get at them.
  if command -v npm >/dev/null; then
    npm install --prefix .tools --no-audit --no-fund --ignore-scripts --loglevel error "bun@$wanted" >&2
  elif command -v bun >/dev/null; then
    (cd .tools && bun add --ignore-scripts "bun@$wanted" >&2)
  else
    echo "Ragline needs Bun $wanted, or npm to install it with: install Node.js or Bun, then try again" >&2
    exit 1
  fi
  bun=$(find_bun)
  if [ -z "$bun" ]; then
    echo "The Bun that npm installed does not run on this machine: install Bun $wanted from https://bun.sh" >&2
    exit 1
  fi
fi

stamp=node_modules/.installed
if [ ! -e "$stamp" ] || [ bun.lock -nt "$stamp" ]; then
  echo "Setting up: dependencies" >&2
  # onnxruntime-node's install script would fetch GPU libraries that are not used.
  ONNXRUNTIME_NODE_INSTALL=skip "$bun" install --frozen-lockfile >&2
  touch "$stamp"
fi

[ "$1" = scripts/setup.ts ] || "$bun" scripts/setup.ts
exec "$bun" "$@"
