#!/bin/sh
# Sets up a fresh Debian or Ubuntu machine: .venv from requirements.lock, the package itself, the
# link that mypy reads it through, and an OpenGL library that draws without a display.
# Run by `make setup`; does only what is missing.
set -eu
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}

may_install() { [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; }

need() { # need "what is missing" package...
    what=$1
    shift
    if may_install; then
        echo "setup: installing $*"
        { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$@"; } >/dev/null 2>&1 && return
    fi
    echo "setup: $what is missing; install it: sudo apt-get install $*" >&2
    exit 1
}

command -v "$python" >/dev/null || need "Python" python3 python3-venv
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    echo "setup: $python is $("$python" -V 2>&1); Python 3.11 or newer is needed (PYTHON=... make)" >&2
    exit 1
}
"$python" -c 'import ensurepip, venv' 2>/dev/null || need "Python's venv module" python3-venv

stamp=$(cat requirements.lock pyproject.toml | cksum)
if [ "$(cat .venv/stamp 2>/dev/null || true)" != "$stamp" ]; then
    echo "setup: .venv from requirements.lock"
    [ -x .venv/bin/python ] || "$python" -m venv .venv
    .venv/bin/python -m pip install -q --disable-pip-version-check -r requirements.lock
    .venv/bin/python -m pip install -q --disable-pip-version-check --no-deps -e .
    echo "$stamp" >.venv/stamp
fi
mkdir -p .link
ln -sfn .. .link/trimix

draws() { .venv/bin/trimix doctor 2>/dev/null | grep -q "MuJoCo draws"; }
draws || need "an OpenGL library that draws without a display" libegl1 libgl1-mesa-dri
draws || {
    echo "setup: MuJoCo cannot draw here; .venv/bin/trimix doctor says why" >&2
    exit 1
}
