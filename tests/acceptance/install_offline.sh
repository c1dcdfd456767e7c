#!/usr/bin/env bash
# Unpacks the self-extracting archive as an ordinary user and installs the .deb, each in a minimal Debian 12 without a network, and runs the
# programs there. Needs root (or a user namespace that may mount), debootstrap and, once, a Debian mirror for the base system.
#   ./dev package && sudo tests/acceptance/install_offline.sh [PACKAGES_FOLDER]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
packages=$(realpath "${1:-build/release/packages}")
cache="${CLOISTER_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/cloister}"
base="$cache/debian-12-minbase.tar"
archive=$(ls "$packages"/cloister-*.sh) deb=$(ls "$packages"/cloister-*.deb)

if [ ! -e "$base" ]; then
  made=$(mktemp -d)
  site=$(apt-get indextargets --format '$(SITE)' | grep -v security | sort -u | head -n 1)
  debootstrap --variant=minbase bookworm "$made" "$site" >/dev/null
  mkdir -p "$cache"
  tar -C "$made" --exclude=./var/cache/apt/archives/*.deb -cf "$base.part" . && mv "$base.part" "$base"
  rm -rf "$made"
fi
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
tar -C "$root" -xf "$base"
chroot "$root" useradd -m clinician
mkdir -p "$root/media"

# No network, no other process and no mount of the host: only what the packages bring.
inside() {
  unshare --net --mount --pid --fork bash -euc '
    root=$1 packages=$2; shift 2
    mount --bind "$packages" "$root/media"
    mount -t proc proc "$root/proc"
    mount -t tmpfs tmpfs "$root/dev" && for node in null zero urandom random; do touch "$root/dev/$node"; mount --bind "/dev/$node" "$root/dev/$node"; done
    exec chroot "$root" /usr/bin/env -i PATH=/usr/bin:/bin:/usr/sbin:/sbin LC_ALL=C.UTF-8 QT_QPA_PLATFORM=offscreen "$@"' _ "$root" "$packages" "$@"
}

try_programs() {  # user, folder of the programs
  inside su clinician -c "
    set -e
    export QT_QPA_PLATFORM=offscreen
    cd; $1/cloister-cli --version
    $1/cloister --version
    $1/cloister-worker hardware
    rm -rf .config/cloister; echo secret > pass; $1/cloister-cli keys create --name k --passphrase-file pass --json >/dev/null
    rm -rf phantoms p; $1/cloister-ingest synthesize --to phantoms --patients 2 --seed 1 | tail -n 1
    $1/cloister-cli project create --project p --task image-classification --json >/dev/null
    $1/cloister-cli data import --project p --source dicom phantoms --json
    rm -rf demo; $1/cloister-cli demo --to demo --epochs 2 2>/dev/null | tail -n 3
    [ \$(tail -n +3 /proc/net/dev | grep -vc ' lo:') = 0 ] || { echo 'there is a network'; exit 1; }"
}

echo "== self-extracting archive, as a user without rights"
inside su clinician -c "mkdir -p ~/cloister && sh /media/$(basename "$archive") --prefix=\$HOME/cloister --exclude-subdir --skip-license >/dev/null && ~/cloister/bin/add-to-menu"
try_programs '~/cloister/bin'
echo "== .deb"
inside dpkg -i "/media/$(basename "$deb")"
try_programs /opt/cloister/bin
inside sh -c 'cloister-cli --version && dpkg -r cloister && ! test -e /usr/bin/cloister-cli && ! test -e /opt/cloister/bin'
echo "both packages work in a Debian 12 root without a network"
