#!/usr/bin/env bash
# Build the serving image from the Dockerfile without a Docker engine, and try it. Needs Debian and root; buildah
# and debootstrap are installed if they are not there.
# The base image is made by debootstrap under the name that the Dockerfile asks for. The pip configuration of
# this machine, if it has one, is mounted while the image is built; nothing of it stays in the image.
#
#   tests/docker/build_image.sh [WORK_FOLDER]
set -euo pipefail
cd "$(dirname "$0")/../.."
work=${1:-/tmp/srez-image}
base=localhost/python:3.11-slim
most_megabytes=400
mkdir -p "$work"
if [ "$(id -u)" != 0 ]; then
  echo "run this as root" >&2
  exit 1
fi
for need in buildah debootstrap; do
  command -v "$need" >/dev/null && continue
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends "$need"
done
buildah() { command buildah --storage-driver vfs --root "$work/storage" --runroot "$work/run" "$@"; }
megabytes() { du -sm --one-file-system "$1" | cut -f1; }

if ! buildah inspect --type image "$base" >/dev/null 2>&1; then
  if [ ! -e "$work/base/usr/bin/python3" ]; then
    rm -rf "$work/base"
    debootstrap --variant=minbase --include=python3,python3-venv,python3-pip bookworm "$work/base" >"$work/base.log"
    rm -rf "$work/base/var/cache/apt" "$work/base/var/lib/apt/lists"
  fi
  container=$(buildah from scratch)
  buildah add --quiet "$container" "$work/base" /
  buildah config --env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$container"
  buildah commit --quiet "$container" "$base"
  buildah rm "$container" >/dev/null
fi

# pip's configuration as one file, and what it names on this machine's disk.
python3 -m pip config list | sed -nE "s/^(global|:env:)\.([a-z-]+)='(.*)'$/\2 = \3/p" | sort -u -k1,1 |
  { echo "[global]"; cat; } >"$work/pip.conf"
mounts=()
for path in $(grep -oE '/[^ ]+' "$work/pip.conf" | sed -E 's#^//+#/#' | sort -u); do
  [ -e "$path" ] && mounts+=(--volume "$path:$path:ro")
  parent=$(dirname "$path")  # an index may refer to its neighbours
  case $path in */simple) mounts+=(--volume "$parent:$parent:ro") ;; esac
done
buildah build --isolation chroot --pull-never --layers --target serve --tag srez:serve --format docker \
  --secret "id=pip,src=$work/pip.conf" "${mounts[@]}" . 2>&1 | tee "$work/build.log" |
  { grep -E '^(STEP|ERROR|error)' || true; }  # the status is that of the build

container=$(buildah from --pull-never srez:serve)
root=$(buildah mount "$container")
added=$(($(megabytes "$root") - $(megabytes "$work/base")))
echo "the image adds $added MB to its base"
[ "$added" -lt "$most_megabytes" ]
if [ -e "$root/srez/lib/python3.11/site-packages/tensorflow" ]; then
  echo "the serving image must not hold TensorFlow" >&2
  exit 1
fi

# Run what the image says, as the user it says, on a tree that cannot be written but for /tmp and the volumes.
python3 tests/docker/try_image.py "$root" "$(buildah inspect --type image srez:serve)"
buildah umount "$container" >/dev/null
buildah rm "$container" >/dev/null
