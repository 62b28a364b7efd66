"""A machine of its own for tests: the files of the running system under a systemd of their own, in namespaces, without
a network but for loopback. What happens in it is gone with it.

A test program calls `main()`, which starts it once more inside namespaces that end with it, however it ends. Where the
machine does not allow that, the program says so and exits with SKIPPED."""

import ctypes
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
import uuid

SKIPPED = 77
DEADLINE = 20.0
BOOT_DEADLINE = 60.0
INSIDE = "TOKENSYNC_MACHINE"
TARGET = "tokensync-test.target"
# What other packages of this machine start is not ours to test.
TARGET_TEXT = """[Unit]
Requires=sysinit.target dbus.socket
After=sysinit.target dbus.socket
AllowIsolate=yes
"""


class NotAllowed(Exception):
    """This machine cannot have another one inside."""


def wait_until(condition, what, deadline=DEADLINE):
    """Waits until condition() is true and gives its value; fails after the deadline."""
    end = time.monotonic() + deadline
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {deadline:.0f} s: {what}")
        time.sleep(0.02)


def attempt(*arguments):
    done = subprocess.run(arguments, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        raise NotAllowed(f"{' '.join(arguments[:2])}: {done.stderr.strip()}")


class Machine:
    """One machine. `stop` ends it and takes away all that it left."""

    def __init__(self):
        self.nspawn = None
        self.leader = None
        self.folder = tempfile.mkdtemp(prefix="tokensync-machine-")
        self.console = os.path.join(self.folder, "console")
        self.root = os.path.join(self.folder, "disk", "root")
        try:
            self._mount()
            self._prepare()
            self._boot()
        except BaseException:
            self.stop()
            raise

    def _mount(self):
        disk = os.path.join(self.folder, "disk")
        os.mkdir(disk)
        attempt("mount", "-t", "tmpfs", "-o", "mode=0755", "tmpfs", disk)
        for name in ("upper", "work", "root"):
            os.mkdir(os.path.join(disk, name))
        attempt("mount", "-t", "overlay", "overlay", "-o",
                f"lowerdir=/,upperdir={disk}/upper,workdir={disk}/work", self.root)

    def _prepare(self):
        # An image of a machine often forbids packages to start services.
        policy = self.path("/usr/sbin/policy-rc.d")
        if os.path.lexists(policy):
            os.remove(policy)
        for leftover in ("/etc/tokensyncd", "/var/lib/tokensyncd"):
            shutil.rmtree(self.path(leftover), ignore_errors=True)
        # The journal, the index of man pages and units that wait for hardware cost seconds, and prove nothing here.
        shutil.rmtree(self.path("/var/log/journal"), ignore_errors=True)
        for unit in ("systemd-timesyncd.service", "systemd-networkd.service", "systemd-udevd.service",
                     "systemd-udev-trigger.service", "systemd-firstboot.service", "ldconfig.service"):
            self.link("/dev/null", f"/etc/systemd/system/{unit}")
        self.link("/bin/true", "/usr/bin/mandb")
        self.write(f"/etc/systemd/system/{TARGET}", TARGET_TEXT)
        self.write("/etc/machine-id", uuid.uuid4().hex + "\n")

    def _boot(self):
        with open(self.console, "wb") as console:
            self.nspawn = subprocess.Popen(
                ["systemd-nspawn", "--quiet", "--boot", "--directory", self.root, "--machine=tokensync-test",
                 "--private-network", "--register=no", "--keep-unit", "--link-journal=no", "--console=pipe",
                 f"systemd.unit={TARGET}"],
                stdin=subprocess.DEVNULL, stdout=console, stderr=console)
        end = time.monotonic() + BOOT_DEADLINE
        while not self._booted():
            if self.nspawn.poll() is not None or time.monotonic() > end:
                raise NotAllowed(f"systemd-nspawn did not boot: {self.console_text().strip()[-2000:]}")
            time.sleep(0.02)

    def _booted(self):
        if self.leader is None:
            for child in self._children(self.nspawn.pid):
                with open(f"/proc/{child}/comm", encoding="utf-8") as file:
                    if file.read().strip() == "systemd":
                        self.leader = child
            return False
        return self.run("systemctl", "is-active", "--quiet", TARGET, expect=None).returncode == 0

    @staticmethod
    def _children(pid):
        try:
            with open(f"/proc/{pid}/task/{pid}/children", encoding="utf-8") as file:
                return [int(child) for child in file.read().split()]
        except OSError:
            return []

    def stop(self):
        if self.nspawn is not None and self.nspawn.poll() is None:
            if self.leader is not None:
                os.kill(self.leader, signal.SIGRTMIN + 4)
            else:
                self.nspawn.kill()
            try:
                self.nspawn.wait(DEADLINE)
            except subprocess.TimeoutExpired:
                self.nspawn.kill()
                self.nspawn.wait(DEADLINE)
        disk = os.path.join(self.folder, "disk")
        for place in (self.root, disk):
            subprocess.run(["umount", "--recursive", "--lazy", place], capture_output=True, check=False)
        if not os.path.ismount(disk):
            shutil.rmtree(self.folder, ignore_errors=True)

    def console_text(self):
        try:
            with open(self.console, encoding="utf-8", errors="replace") as file:
                return file.read()
        except OSError:
            return ""

    # ---- files, before the boot and after it; not below /run and /tmp, which the machine makes for itself

    def path(self, name):
        return self.root + name

    def write(self, name, text, mode=0o644):
        target = self.path(name)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(target, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(target, mode)

    def copy(self, source, name, mode=0o644):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        shutil.copyfile(source, self.path(name))
        os.chmod(self.path(name), mode)

    def link(self, target, name):
        if os.path.lexists(self.path(name)):
            os.remove(self.path(name))
        os.symlink(target, self.path(name))

    # ---- commands in the machine

    def run(self, *arguments, expect=0, user=None, folder="/", text=None, env=None, deadline=DEADLINE):
        """Runs a command in the machine, as root or as a user of it; fails on another exit status than `expect`."""
        command = ["nsenter", f"--target={self.leader}", "--mount", "--uts", "--ipc", "--net", "--pid", "--", "env",
                   "--ignore-environment", f"--chdir={folder}", "PATH=/usr/sbin:/usr/bin", "LC_ALL=C.UTF-8"]
        command += [f"{name}={value}" for name, value in (env or {}).items()]
        if user is not None:
            command += ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups"]
        done = subprocess.run([*command, *arguments], input=text or "", capture_output=True, text=True, check=False,
                              timeout=deadline)
        if expect is not None and done.returncode != expect:
            raise AssertionError(f"{' '.join(arguments)}: exit status {done.returncode}, not {expect}\n"
                                 f"{done.stdout}{done.stderr}")
        return done

    def output(self, *arguments, **options):
        return self.run(*arguments, **options).stdout.strip()

    def property(self, unit, name):
        return self.output("systemctl", "show", "--property", name, "--value", unit)

    def journal(self, unit, *options):
        return self.output("journalctl", "--no-pager", "--output=cat", f"--unit={unit}", *options)

    def package(self, *arguments):
        """dpkg, as an administrator's script runs it: without a question."""
        return self.run("dpkg", *arguments, text="", env={"DEBIAN_FRONTEND": "noninteractive"}, deadline=120)


def _cgroup_folders(name):
    for hierarchy in ("/sys/fs/cgroup/systemd", "/sys/fs/cgroup/unified", "/sys/fs/cgroup"):
        if os.path.exists(os.path.join(hierarchy, "cgroup.procs")):
            yield os.path.join(hierarchy, name)


def _enter_cgroup(name):
    """systemd-nspawn makes cgroups beside its own one; those of this test are kept apart, and taken away after it."""
    for folder in _cgroup_folders(name):
        try:
            os.mkdir(folder)
            with open(os.path.join(folder, "cgroup.procs"), "w", encoding="ascii") as file:
                file.write("0")
        except OSError as error:
            raise NotAllowed(f"making a cgroup: {error}") from error


def _remove_cgroup(name):
    for folder in _cgroup_folders(name):
        for place, _, _ in os.walk(folder, topdown=False):
            try:
                os.rmdir(place)
            except OSError:
                pass


def _skip(why):
    print(f"SKIPPED: no systemd was booted, so nothing of this was tested: {why}", file=sys.stderr, flush=True)
    sys.exit(SKIPPED)


def main():
    if os.environ.get(INSIDE):
        try:
            _enter_cgroup(os.environ[INSIDE])
            Machine().stop()
        except NotAllowed as error:
            _skip(error)
        unittest.main(verbosity=2, failfast=False)
    if os.geteuid() != 0:
        _skip("that takes root")
    for program in ("systemd-nspawn", "unshare", "nsenter", "dbus-daemon"):
        if shutil.which(program) is None:
            _skip(f"there is no {program}")
    namespaces = ["unshare", "--mount", "--propagation=private", "--pid", "--fork", "--kill-child", "--mount-proc"]
    try:
        attempt(*namespaces, "true")
    except NotAllowed as error:
        _skip(error)
    name = f"tokensync-test-{os.getpid()}"
    command = [*namespaces, sys.executable, "-B", *sys.argv]

    def die_with_parent():
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)

    with tempfile.TemporaryDirectory(prefix=name) as folder:
        with subprocess.Popen(command, env={**os.environ, INSIDE: name, "TMPDIR": folder},
                              preexec_fn=die_with_parent) as child:
            try:
                status = child.wait()
            finally:
                child.kill()
                child.wait()
                _remove_cgroup(name)
    sys.exit(status if status >= 0 else 128 - status)
