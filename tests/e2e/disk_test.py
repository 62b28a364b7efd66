"""The disk of the ledger, full, read-only or broken while calls are in flight: the program ends with one clear error, and
goes on from there once the disk is as it should be."""

import errno
import mmap
import os
import struct
import subprocess
import unittest

from harness import UncheckedWorld, wait_until

TOKENS = range(1, 401)
LEDGER_UNUSABLE = 73


class Disk(UncheckedWorld):
    def begin(self):
        """The daemon, in the middle of its work."""
        self.settings["api"].update(timeout="500ms", concurrency=8)
        self.write_config()
        self.write_tokens(TOKENS, description="x" * 500)
        self.push()
        self.faults(latency_ms=20, latency_jitter_ms=40)
        daemon = self.start_daemon()
        wait_until(lambda: self.creates() >= 50, "calls are made")
        return daemon

    def assert_one_error(self, text):
        errors = [line for line in text.splitlines() if line.startswith("tokensyncd: ")]
        self.assertEqual(len(errors), 1, text)
        self.assertIn(self.settings["ledger"]["path"], errors[0])
        self.assertRegex(errors[0], "the disk|read-only|Read-only")

    def assert_ended_by_the_disk(self, daemon):
        wait_until(lambda: not daemon.running(), "the daemon ends")
        self.assertEqual(daemon.popen.returncode, LEDGER_UNUSABLE, daemon.stderr())
        self.assert_one_error(daemon.stderr())
        self.assertLess(self.service_state()["tokens"], len(TOKENS))

    def assert_refused(self):
        """A restart ends in the same way, and makes no call that it could not record."""
        creates = self.creates()
        self.assert_one_error(self.run_program("sync", expect=LEDGER_UNUSABLE).stderr)
        daemon = self.start_daemon()
        wait_until(lambda: not daemon.running(), "the daemon ends")
        self.assertEqual(daemon.popen.returncode, LEDGER_UNUSABLE, daemon.stderr())
        self.assertEqual(self.creates(), creates)

    def finish(self):
        self.faults(latency_ms=0, latency_jitter_ms=0)
        self.sync(expect=0)
        self.assert_converged(TOKENS)


class BrokenDisk(Disk):
    """A disk that refuses to write, in the middle of the work."""

    def break_disk(self, error):
        self.fault[:4] = struct.pack("=i", error)

    def setUp(self):
        super().setUp()
        name = self.path("disk")
        with open(name, "wb") as file:
            file.write(bytes(8))
        with open(name, "r+b") as file:
            self.fault = mmap.mmap(file.fileno(), 8)
        self.addCleanup(self.fault.close)
        self.env.update(self.shim(), SHIM_DISK=name)

    def test_a_disk_that_breaks_in_mid_run_ends_the_daemon_and_loses_nothing(self):
        for error in (errno.EIO, errno.ENOSPC, errno.EROFS):
            with self.subTest(errno.errorcode[error]):
                daemon = self.begin()
                self.break_disk(error)
                wait_until(lambda: not daemon.running(), "the daemon ends")
                self.assertEqual(daemon.popen.returncode, LEDGER_UNUSABLE, daemon.stderr())
                errors = [line for line in daemon.stderr().splitlines() if line.startswith("tokensyncd: ")]
                self.assertEqual(len(errors), 1, daemon.stderr())
                self.assertIn(self.settings["ledger"]["path"], errors[0])
                self.break_disk(0)
                self.finish()
                self.reset_service()
                os.remove(self.settings["ledger"]["path"])
                os.truncate(daemon.stderr_path, 0)


class SmallDisk(Disk):
    """A file system of its own, which takes root."""

    def setUp(self):
        super().setUp()
        folder = self.path("state")
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=6m", "tokensync-test", folder], capture_output=True,
                              text=True, check=False)
        if done.returncode != 0:
            self.skipTest(f"SKIPPED, NOT TESTED: no file system can be mounted here: {done.stderr.strip()}")
        self.addCleanup(subprocess.run, ["umount", "-l", folder], check=False)

    def fill(self):
        with open(self.path("state/filler"), "wb", buffering=0) as file:
            for size in (65536, 4096, 1):
                try:
                    while True:
                        file.write(bytes(size))
                except OSError as error:
                    self.assertEqual(error.errno, errno.ENOSPC)

    def remount(self, how):
        return subprocess.run(["mount", "-o", f"remount,{how}", self.path("state")], capture_output=True, check=False)

    def test_a_disk_that_fills_up_under_load_ends_the_daemon_and_loses_nothing(self):
        daemon = self.begin()
        self.fill()
        self.assert_ended_by_the_disk(daemon)
        os.truncate(daemon.stderr_path, 0)
        self.assert_refused()
        os.remove(self.path("state/filler"))
        self.finish()

    def test_a_file_system_that_is_read_only_is_refused_until_it_is_not(self):
        daemon = self.begin()
        daemon.kill()
        os.truncate(daemon.stderr_path, 0)
        self.assertEqual(self.remount("ro").returncode, 0)
        self.assert_refused()
        self.assertEqual(self.remount("rw").returncode, 0)
        self.finish()


if __name__ == "__main__":
    unittest.main(verbosity=2)
