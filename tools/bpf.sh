#!/bin/sh
# Builds the programs for the kernel, each .bpf.c beside its .bpf.o: tools/bpf.sh [CLANG]
# Without clang they are left out, and tulpen reads /proc instead.
set -eu
cd "$(dirname "$0")/.."
clang=${1:-${CLANG:-clang}}
command -v "$clang" >/dev/null || {
    echo "tulpen: no $clang, so without BPF (Debian, Ubuntu: apt-get install clang libbpf1)" >&2
    exit 0
}
for source in src/tulpen/kernel/bpf/*.bpf.c; do
    "$clang" -g -O2 -Wall -Werror -target bpf -mcpu=v3 -c "$source" -o "${source%.c}.o"
done
