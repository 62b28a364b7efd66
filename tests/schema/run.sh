#!/usr/bin/env bash
# The JSON Schemas of the example repository accept every example and refuse every document of tests/schema/bad, and the
# program agrees where there is one: tests/schema/run.sh [PROGRAM].
# Debian's own interpreter, whatever stands first in PATH: its packages are what tests/setup.sh installs.
set -eu
exec /usr/bin/python3 "$(dirname "$(readlink -f "$0")")/check_schemas.py" "$@"
