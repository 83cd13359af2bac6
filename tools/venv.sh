#!/bin/sh
# Makes the project's virtual environment: tools/venv.sh DIRECTORY REQUIREMENT
# REQUIREMENT is what pip installs, editable: "." or ".[dev]".  PYTHON names an interpreter to use instead of looking.
set -eu
directory=$1
requirement=$2

fail() {
    echo "tulpen: $1" >&2
    exit 2
}

new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }
has_venv() { "$1" -c 'import ensurepip, venv' 2>/dev/null; }

find_python() {
    without=
    for name in ${PYTHON:-python3 python3.13 python3.12 python3.11 python3.14 /usr/bin/python3}; do
        new_enough "$name" || continue
        if has_venv "$name"; then
            echo "$name"
            return
        fi
        without=${without:-$name}
    done
    [ -z "$without" ] ||
        fail "$without has no venv or ensurepip: install it (Debian, Ubuntu: apt-get install python3-venv)"
    what=${PYTHON:+and $PYTHON is not that}
    fail "Python 3.11 or newer is needed ${what:-and none was found}; PYTHON=/path/to/python3 names one"
}

if ! [ -x "$directory/bin/python" ] || ! new_enough "$directory/bin/python"; then
    python=$(find_python)
    "$python" -m venv --clear "$directory"
fi
"$directory/bin/python" -m pip install --quiet --disable-pip-version-check --editable "$requirement" ||
    fail "pip could not install $requirement, see above (the first call needs a package index, later ones do not)"
