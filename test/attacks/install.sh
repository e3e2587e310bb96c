#!/bin/sh
# Installs Schemathesis for `npm run test:attacks` into .cache/schemathesis (about 80 MB), unless it is there.
set -eu
version=4.32.5
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
venv="$root/.cache/schemathesis"
if [ -x "$venv/bin/schemathesis" ]; then
  echo "Schemathesis is installed in $venv"
  exit 0
fi
python3 -m venv "$venv"
"$venv/bin/pip" install --quiet "schemathesis==$version"
echo "Schemathesis $version installed in $venv"
