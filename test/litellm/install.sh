#!/bin/sh
# Installs LiteLLM's proxy for `npm run test:litellm` into .cache/litellm (about 750 MB), unless it is there.
set -eu
version=1.106.2
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
venv="$root/.cache/litellm"
if [ -x "$venv/bin/litellm" ]; then
  echo "LiteLLM is installed in $venv"
  exit 0
fi
python3 -m venv "$venv"
"$venv/bin/pip" install --quiet "litellm[proxy]==$version"
echo "LiteLLM $version installed in $venv"
