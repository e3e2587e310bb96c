#!/bin/sh
# Installs the gateways that `npm run bench` compares with, from their registries, into .cache (about 900 MB), unless they
# are there. The benchmark leaves out what is not installed, and says so.
set -eu
portkey_version=1.15.2
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)

sh "$root/test/litellm/install.sh"

portkey="$root/.cache/peers/portkey"
if [ -f "$portkey/node_modules/@portkey-ai/gateway/build/start-server.js" ]; then
  echo "Portkey is installed in $portkey"
  exit 0
fi
mkdir -p "$portkey"
printf '{ "name": "peer-portkey", "private": true }\n' >"$portkey/package.json"
# Its release asks for ranges: the newest versions inside them are what a user gets today.
npm install --prefix "$portkey" --no-audit --no-fund --ignore-scripts --save-exact \
  "@portkey-ai/gateway@$portkey_version"
echo "Portkey $portkey_version installed in $portkey"
