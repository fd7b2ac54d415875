#!/bin/sh
# Sets up a fresh machine: .venv from requirements.lock, the package itself, the link that mypy
# reads it through, and on Linux an OpenGL library that draws without a display.
# Run by `make setup`; does only what is missing. docs/install.md has the long version.
set -eu
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}

may_install() { [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; }

say() { echo "setup: $*" >&2; }

need() { # need "what is missing" package...: apt's names; other systems' are in docs/install.md
    what=$1
    shift
    if may_install; then
        echo "setup: installing $*"
        { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$@"; } >/dev/null 2>&1 && return
    fi
    if command -v apt-get >/dev/null; then
        say "$what is missing; install it: sudo apt-get install $*"
    elif [ "$(uname -s)" = Darwin ]; then
        say "$what is missing; install it: brew install python@3.12, then PYTHON=python3.12 make"
    else
        say "$what is missing; docs/install.md says which packages of your system have it (on Debian: $*)"
    fi
    exit 1
}

command -v "$python" >/dev/null || need "Python" python3 python3-venv
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    say "$python is $("$python" -V 2>&1); Python 3.11 or newer is needed (PYTHON=python3.12 make)"
    exit 1
}
"$python" -c 'import ensurepip, venv' 2>/dev/null || need "Python's venv module" python3-venv

stamp=$(cat requirements.lock pyproject.toml | cksum)
if [ "$(cat .venv/stamp 2>/dev/null || true)" != "$stamp" ]; then
    echo "setup: .venv from requirements.lock (a few minutes)"
    [ -x .venv/bin/python ] || "$python" -m venv .venv
    # -qq: what pip warns of, its own age and mirrors that lack a package, is nothing to act on.
    .venv/bin/python -m pip install -qq --disable-pip-version-check -r requirements.lock
    .venv/bin/python -m pip install -qq --disable-pip-version-check --no-deps -e .
    echo "$stamp" >.venv/stamp
fi
mkdir -p .link
ln -sfn .. .link/trimix

draws() { .venv/bin/trimix doctor 2>/dev/null | grep -q "MuJoCo draws"; }
# macOS draws with what it comes with.
draws || [ "$(uname -s)" = Darwin ] || need "an OpenGL library that draws without a display" libegl1 libgl1-mesa-dri
draws || {
    say "MuJoCo cannot draw here; .venv/bin/trimix doctor says why, docs/install.md what helps"
    exit 1
}
