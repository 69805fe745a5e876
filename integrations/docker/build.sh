#!/bin/sh
# Builds the image with whatever engine is there: around the binary of this version's wheel if
# target/wheels holds one, else compiled from source inside the engine. Variables choose otherwise:
#   ENGINE  docker, podman or buildah
#   IMAGE   name and tag of the image
#   BASE    base image, instead of the one that the Dockerfile names
#   BINARY  binary to put in, compiled for Linux
set -eu
cd "$(dirname "$0")/../.."

version=$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml | head -n 1)
image=${IMAGE:-tap-confluent-cloud/source-confluent-cloud:$version}
context=target/image/context

if [ -z "${ENGINE:-}" ]; then
    if docker info >/dev/null 2>&1; then
        ENGINE=docker
    elif command -v podman >/dev/null; then
        ENGINE=podman
    elif command -v buildah >/dev/null; then
        ENGINE=buildah
    else
        echo 'an image needs docker (its daemon running), podman or buildah, and none of them is there' >&2
        exit 1
    fi
fi

mkdir -p "$context"
if [ -z "${BINARY:-}" ]; then
    for wheel in target/wheels/tap_confluent_cloud-"$version"-py3-none-manylinux*_"$(uname -m)".whl; do
        if [ -e "$wheel" ]; then
            BINARY=$wheel
        fi
    done
fi
case ${BINARY:-} in
    '') echo "compiling, because target/wheels holds no wheel of $version; make wheel makes one" >&2 ;;
    *.whl)
        python3 - "$BINARY" >"$context/tap-confluent-cloud" <<'END'
import sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as wheel:
    [name] = [name for name in wheel.namelist() if name.endswith("/scripts/tap-confluent-cloud")]
    sys.stdout.buffer.write(wheel.read(name))
END
        ;;
    *) cp "$BINARY" "$context/tap-confluent-cloud" ;;
esac

set -- --file integrations/docker/Dockerfile --tag "$image"
if [ -n "${BASE:-}" ]; then
    set -- "$@" --build-arg "BASE=$BASE"
fi
if [ -n "${BINARY:-}" ]; then
    # A wheel keeps no permissions that could be taken over.
    chmod 755 "$context/tap-confluent-cloud"
    set -- "$@" --target prebuilt "$context"
else
    set -- "$@" .
fi
"$ENGINE" build "$@"
echo "built $image${BINARY:+ around $BINARY}"
