#!/bin/sh
# Writes ./configure and what it needs. Run it once after a clone.
set -eu
cd "$(dirname "$0")/../.."

missing=
for tool in autoconf:autoconf automake:automake libtoolize:libtool pkg-config:pkg-config; do
    command -v "${tool%%:*}" >/dev/null 2>&1 || missing="$missing ${tool##*:}"
done
if [ -n "$missing" ]; then
    echo "autogen.sh: missing tools; on Debian: apt-get install$missing" >&2
    exit 1
fi
exec autoreconf --force --install --warnings=all,no-portability,no-obsolete
