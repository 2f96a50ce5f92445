#!/bin/sh
# Tries the units on a machine that runs systemd: a spare one, as root.
#
#   tests/systemd.sh /path/to/vonggac-*.whl
#
# It makes the service users, /var/lib/vonggac, a 1 GiB disk in a file under /srv/vonggac, and
# /opt/vonggac with the wheel; it refuses to start where one of them is there already, and takes
# all but the users away at the end. It has never been run: the machines that this was written on
# have no systemd as their first process. Whoever runs it writes here when, on what, and what it
# said, and takes the sentence "Never yet started" out of the units.
set -eu

die() {
    echo "systemd.sh: $*" >&2
    exit 1
}

step() {
    echo "== $*"
}

# until_true SECONDS COMMAND...: waits for a state, asking ten times a second.
until_true() {
    tries=$(($1 * 10))
    shift
    while ! "$@" >/dev/null 2>&1; do
        tries=$((tries - 1))
        [ "$tries" -gt 0 ] || die "not within its time: $*"
        sleep 0.1
    done
}

restarted() { # restarted UNIT COUNT: whether systemd has started it again that often
    [ "$(systemctl show -P NRestarts "$1")" -ge "$2" ]
}

root=$(cd "$(dirname "$0")/.." && pwd)
[ $# -eq 1 ] && [ -f "$1" ] || die "usage: tests/systemd.sh WHEEL"
wheel=$(realpath "$1")
[ "$(id -u)" -eq 0 ] || die "only root can try units"
[ -d /run/systemd/system ] || die "systemd is not this machine's first process"
for path in /var/lib/vonggac /srv/vonggac /opt/vonggac /usr/bin/vonggac; do
    [ ! -e "$path" ] || die "$path is there already: this is for a spare machine"
done

take_away() {
    set +e
    systemctl stop vonggac.target vonggac-motion.service vonggac-push.service vonggac-serve.service \
        vonggac-record.service vonggac-audit.service
    rm -f /etc/systemd/system/vonggac.target /etc/systemd/system/vonggac-*.service
    rm -f /etc/sysusers.d/vonggac.conf /etc/tmpfiles.d/vonggac.conf /usr/bin/vonggac
    systemctl daemon-reload
    umount /srv/vonggac/disk1
    rm -rf /var/lib/vonggac /srv/vonggac /srv/vonggac.img /opt/vonggac
}
trap take_away EXIT

step "users, directories, program"
mkdir -p /etc/sysusers.d /etc/tmpfiles.d
cp "$root/appliance/packaging/vonggac.sysusers.conf" /etc/sysusers.d/vonggac.conf
cp "$root/appliance/packaging/vonggac.tmpfiles.conf" /etc/tmpfiles.d/vonggac.conf
systemd-sysusers
systemd-tmpfiles --create vonggac.conf
/usr/bin/python3 -m venv /opt/vonggac
/opt/vonggac/bin/python -m pip install -q "$wheel"
ln -s /opt/vonggac/bin/vonggac /usr/bin/vonggac

step "a disk of its own"
truncate -s 1G /srv/vonggac.img
mkfs.ext4 -q /srv/vonggac.img
mkdir /srv/vonggac/disk1
mount -o loop /srv/vonggac.img /srv/vonggac/disk1
chown vonggac-record:vonggac-record /srv/vonggac/disk1
chmod 0750 /srv/vonggac/disk1
rmdir /srv/vonggac/disk1/lost+found
as_record() {
    setpriv --reuid vonggac-record --regid vonggac-record --init-groups sh -c 'umask 007; "$@"' - "$@"
}
as_record vonggac --home /var/lib/vonggac disk format /srv/vonggac/disk1 --size 512M

step "start"
cp "$root"/systemd/vonggac* /etc/systemd/system/
systemctl daemon-reload
systemd-analyze verify /etc/systemd/system/vonggac*
systemctl start vonggac.target
until_true 30 systemctl is-active vonggac-audit.service
until_true 60 systemctl is-active vonggac-record.service
until_true 60 systemctl is-active vonggac-serve.service
until_true 60 systemctl is-active vonggac-motion.service
systemctl status --no-pager vonggac-record.service vonggac-audit.service vonggac-serve.service

step "exposure, of what runs"
systemd-analyze security --threshold=20 --no-pager vonggac-record.service >/dev/null
systemd-analyze security --threshold=20 --no-pager vonggac-audit.service >/dev/null
systemd-analyze security --threshold=20 --no-pager vonggac-serve.service >/dev/null
systemd-analyze security --threshold=20 --no-pager vonggac-motion.service >/dev/null

step "the door for cameras that call opens, and the recorder hears of it"
(
    cd /var/lib/vonggac
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 \
        -subj /CN=box -addext subjectAltName=DNS:localhost -keyout push.key -out push.pem 2>/dev/null
    chgrp vonggac-push push.key
    chmod 0640 push.key
    printf '[push]\nport = 8322\ncertificate = "push.pem"\nkey = "push.key"\n' >config.toml
)
systemctl restart vonggac-record.service
systemctl start vonggac-push.service
until_true 30 systemctl is-active vonggac-push.service
until_true 60 sh -c 'journalctl -u vonggac-push.service | grep -q "the recorder hears"'
systemd-analyze security --threshold=20 --no-pager vonggac-push.service >/dev/null

step "the page answers, and hashes a password under its sandbox"
page=http://127.0.0.1:8080
until_true 30 /usr/bin/python3 -c "import urllib.request; urllib.request.urlopen('$page/healthz')"
/usr/bin/python3 - "$page" <<'PYTHON'
import sys
import urllib.error
import urllib.parse
import urllib.request

form = urllib.parse.urlencode({"name": "nobody", "password": "nothing at all"}).encode()
ask = urllib.request.Request(sys.argv[1] + "/sign-in", form, {"Sec-Fetch-Site": "same-origin"})
try:
    urllib.request.urlopen(ask)
except urllib.error.HTTPError as error:
    sys.exit(0 if error.code == 401 else f"signing in answered {error.code}")
sys.exit("nobody was let in")
PYTHON

step "rights"
[ "$(stat -c %U /var/lib/vonggac/audit)" = vonggac-audit ] || die "audit/ belongs to another"
for class in view operate machine events audit; do
    [ "$(stat -c %a /var/lib/vonggac/run/$class)" = 2750 ] || die "run/$class lends too much"
done
if setpriv --reuid nobody --regid nogroup --clear-groups \
    find /srv/vonggac/disk1/segments -type f 2>/dev/null | grep -q .; then
    die "nobody reads the segments"
fi

step "a killed recorder comes back"
before=$(systemctl show -P NRestarts vonggac-record.service)
kill -KILL "$(systemctl show -P MainPID vonggac-record.service)"
until_true 60 restarted vonggac-record.service $((before + 1))
until_true 60 systemctl is-active vonggac-record.service

step "a hanging recorder is seen by the watchdog"
before=$(systemctl show -P NRestarts vonggac-record.service)
kill -STOP "$(systemctl show -P MainPID vonggac-record.service)"
until_true 90 restarted vonggac-record.service $((before + 1))
until_true 60 systemctl is-active vonggac-record.service

step "a killed page comes back, and the recorder does not notice"
before=$(systemctl show -P NRestarts vonggac-serve.service)
recorder=$(systemctl show -P MainPID vonggac-record.service)
kill -KILL "$(systemctl show -P MainPID vonggac-serve.service)"
until_true 60 restarted vonggac-serve.service $((before + 1))
[ "$(systemctl show -P MainPID vonggac-record.service)" = "$recorder" ] || die "the recorder was restarted"

step "without the audit chain recording goes on"
systemctl stop vonggac-audit.service
systemctl is-active vonggac-record.service >/dev/null || die "the recorder stopped with it"
systemctl start vonggac-audit.service

step "a wrong configuration is not tried again"
echo 'no_such_key = 1' >/var/lib/vonggac/config.toml
systemctl restart vonggac-record.service || :
until_true 30 systemctl is-failed vonggac-record.service
[ "$(systemctl show -P ExecMainStatus vonggac-record.service)" = 78 ] || die "not 78"
rm /var/lib/vonggac/config.toml
systemctl reset-failed vonggac-record.service
systemctl start vonggac-record.service

step "the journal: nothing below should stand there but what was provoked above"
journalctl --no-pager -p err -u vonggac-record.service -u vonggac-audit.service -u vonggac-serve.service

echo "systemd.sh: all well"
