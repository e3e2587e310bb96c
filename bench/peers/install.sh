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
# With the newest versions in the ranges it asks for (hono 4.13, @hono/node-server 1.19) every stream of it ends in status
# 500, "immutable": these two answer.
printf '{ "name": "peer-portkey", "private": true, "overrides": { "hono": "4.9.7", "@hono/node-server": "1.13.8" } }\n' \
  >"$portkey/package.json"
npm install --prefix "$portkey" --no-audit --no-fund --ignore-scripts --save-exact \
  "@portkey-ai/gateway@$portkey_version"
echo "Portkey $portkey_version installed in $portkey"
