# Runs a command where it can reach no network and change nothing: only its home, /tmp and one directory can be written.
# $1: the directory that stays writable, $2: a file that names programs that must not run, $3: managed settings; then the command.
set -e
out="$1" shims="$2" settings="$3"
shift 3
ip link set lo up
# The memory that the layers lie on; taken before /run is covered.
mount -t tmpfs tmpfs /mnt
mkdir -p /mnt/upper /mnt/work /mnt/shims
cat >/mnt/shim <<'SHIM'
#!/bin/sh
# Stands for a program of the day: says so and succeeds, so that what follows it is tried as well.
echo "$(basename "$0") $*" | head -c 400
SHIM
chmod 755 /mnt/shim
grep -v '^#' "$shims" | tr -s ' \n' '\n\n' | while read -r name; do
  [ -z "$name" ] || ln -s /mnt/shim "/mnt/shims/$name"
done
mount -t overlay overlay -o lowerdir=/etc,upperdir=/mnt/upper,workdir=/mnt/work /etc
mkdir -p /etc/claude-code
cp "$settings" /etc/claude-code/managed-settings.json
mount --bind "$out" "$out"
for place in /home /tmp /var/tmp /run /srv; do
  mount -t tmpfs tmpfs "$place"
done
mkdir -p /home/dev
mount -o remount,bind,ro /
exec "$@"
