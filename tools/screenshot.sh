#!/bin/sh
# A picture of a report's first screen: tools/screenshot.sh runs/tiny docs/images/report.png
# Needs Chromium (apt-get install chromium); talks to nobody.
set -eu
report=$(cd "$1" && pwd)/report.html
out=$2
[ -f "$report" ] || { echo "screenshot: $report is not there" >&2; exit 1; }
for browser in chromium chromium-browser google-chrome; do
    command -v "$browser" >/dev/null && break
done
command -v "$browser" >/dev/null || { echo "screenshot: Chromium is missing" >&2; exit 1; }
profile=$(mktemp -d)
trap 'rm -rf "$profile"' EXIT
"$browser" --headless --no-sandbox --disable-gpu --hide-scrollbars --user-data-dir="$profile" \
    --disable-background-networking --disable-component-update --disable-sync --no-first-run \
    --window-size="${SIZE:-1280,800}" --screenshot="$out" "file://$report" >/dev/null 2>&1
[ -s "$out" ] || { echo "screenshot: $browser drew nothing" >&2; exit 1; }
