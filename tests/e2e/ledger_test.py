"""The ledger lost, restored, damaged, or another one: nothing is created twice, and what is wrong is said."""

import json
import os
import shutil
import unittest

from harness import World, wait_until


class Ledger(World):
    def setUp(self):
        super().setUp()
        self.file = self.settings["ledger"]["path"]

    def backup(self, name, expect=0):
        return self.run_program("backup", "--json", self.path(name), expect=expect)

    def restore(self, name):
        """As the manual says it: with the daemon stopped, the file alone."""
        shutil.copyfile(self.path(name), self.file)
        for suffix in ("-wal", "-shm"):
            if os.path.exists(self.file + suffix):
                os.remove(self.file + suffix)

    def assert_converged(self, tokens):
        self.assertEqual(self.states(), {"confirmed": tokens})
        self.assertEqual(len(self.held()), tokens)
        self.assert_nothing_twice()
        self.run_program("audit", expect=0)

    def test_a_backup_under_load_restored_later_converges_and_creates_nothing_twice(self):
        self.write_tokens(range(1, 601))
        self.push()
        self.faults(latency_ms=5, latency_jitter_ms=20)
        daemon = self.start_daemon()
        wait_until(lambda: self.creates() >= 150, "the pass is under way")
        told = json.loads(self.backup("copy.db").stdout)
        self.assertEqual(told["path"], self.path("copy.db"))
        self.assertEqual(told["bytes"], os.path.getsize(self.path("copy.db")))
        self.assertLess(told["entries"], 600)
        self.assertGreater(told["records"], told["entries"])
        self.assertEqual(os.stat(self.path("copy.db")).st_mode & 0o777, 0o600)
        self.assertEqual([n for n in os.listdir(self.folder) if ".tmp-" in n], [])
        self.backup("copy.db", expect=73)  # nothing is overwritten
        wait_until(lambda: self.states() == {"confirmed": 600}, "all is created")
        self.assertEqual(daemon.stop(), 0)
        creates = self.creates()
        self.assertEqual(creates, 600)

        self.restore("copy.db")
        self.write_tokens(range(601, 611))
        self.push("Ten more")
        done = self.sync(expect=0)
        self.assertIn("older copy", done.stderr)
        self.assert_converged(610)
        self.assertEqual(self.creates(), creates + 10)
        done = self.sync(expect=0)
        self.assertNotIn("copy", done.stderr)
        self.assertEqual(self.creates(), creates + 10)

    def test_a_backup_without_a_daemon_and_of_what_is_no_ledger(self):
        self.backup("copy.db", expect=73)
        self.write_tokens([1, 2, 3])
        self.push()
        self.sync()
        done = self.run_program("backup", self.path("copy.db"), expect=0)
        self.assertRegex(done.stdout, r"copy\.db: 3 entries, 6 records up to [0-9a-f]{64}, \d+ bytes\n$")
        self.run_program("backup", expect=64)
        self.run_program("backup", "", expect=64)
        self.settings["ledger"]["path"] = self.path("copy.db")
        self.write_config()
        self.run_program("audit", expect=0)
        self.settings["ledger"]["path"] = self.token_file
        self.write_config()
        done = self.backup("other.db", expect=73)
        self.assertIn("no database", done.stderr)
        self.assertFalse(os.path.exists(self.path("other.db")))

    def test_a_lost_ledger_adopts_everything_and_creates_nothing(self):
        self.write_tokens(range(1, 201))
        self.push()
        self.sync()
        creates = self.creates()
        for name in os.listdir(self.path("state")):
            if name.startswith("ledger.db") and not name.endswith((".mark", ".lock")):
                os.remove(self.path(f"state/{name}"))
        done = self.sync(expect=0)
        self.assertIn("is gone", done.stderr)
        self.assert_converged(200)
        self.assertEqual(self.creates(), creates)
        self.assertEqual({r["event"] for r in self.history()}, {"token-adopted"})

        # And without the mark, as on a new machine.
        for name in os.listdir(self.path("state")):
            if name.startswith("ledger.db"):
                os.remove(self.path(f"state/{name}"))
        self.sync(expect=0)
        self.assert_converged(200)
        self.assertEqual(self.creates(), creates)

    def test_what_changed_at_the_service_while_the_ledger_was_lost_is_reported_and_not_overwritten(self):
        self.write_tokens(range(1, 11))
        self.push()
        self.sync()
        creates = self.creates()
        shutil.rmtree(self.path("state"))
        os.mkdir(self.path("state"))
        self.write_tokens([4], description="another text")
        self.write_tokens([11])
        self.push("Change one, bring one")
        self.sync(expect=3)
        self.assertEqual(self.states(), {"confirmed": 10, "conflicting": 1})
        self.assertNotIn("another text", json.dumps(self.held()["4"]))
        self.assertEqual(self.creates(), creates + 1)
        self.assert_nothing_twice()

    def test_another_repository_is_refused_until_the_move_is_confirmed(self):
        self.write_tokens([1, 2, 3])
        self.push()
        self.sync()
        calls = self.service_state()["calls"]
        # The same repository under another name goes on.
        os.rename(self.bare, self.path("moved.git"))
        self.settings["source"]["url"] = self.path("moved.git")
        self.write_config()
        done = self.sync(expect=0)
        self.assertIn("follows another source.url", done.stderr)
        self.assertNotIn("follows another", self.sync(expect=0).stderr)

        # Another history does not.
        other = self.path("other.git")
        self.command("git", "init", "--quiet", "--bare", "--initial-branch=main", other)
        self.git("checkout", "--quiet", "--orphan", "rewritten")
        self.write_tokens([4])
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", "The same team, a new history")
        self.git("push", "--quiet", other, "rewritten:main")
        self.settings["source"]["url"] = other
        self.write_config()
        for command in (["sync"], ["plan"], ["sync", "--revision", "main"]):
            done = self.run_program(*command, expect=73)
            self.assertIn(f"source.previous_url: {self.path('moved.git')}", done.stderr)
            self.assertIn(other, done.stderr)
        daemon = self.start_daemon()
        wait_until(lambda: not daemon.running(), "the daemon refuses")
        self.assertEqual(daemon.popen.returncode, 73)
        self.assertEqual(self.service_state()["calls"], calls)

        self.settings["source"]["previous_url"] = self.bare  # not the one that is followed
        self.write_config()
        self.sync(expect=73)
        self.settings["source"]["previous_url"] = self.path("moved.git")
        self.write_config()
        self.sync(expect=0)
        self.assert_converged(4)
        del self.settings["source"]["previous_url"]
        self.write_config()
        self.sync(expect=0)

    def test_the_ledger_of_another_service_is_refused(self):
        self.write_tokens([1])
        self.push()
        self.sync()
        calls = self.service_state()["calls"]
        self.settings["api"]["endpoint"] = self.url.replace("127.0.0.1", "localhost")
        self.write_config()
        done = self.sync(expect=73)
        self.assertIn("localhost", done.stderr)
        self.assertIn("127.0.0.1", done.stderr)
        self.assertEqual(self.service_state()["calls"], calls)

    def test_a_damaged_ledger_is_explained_and_nothing_is_created(self):
        self.write_tokens(range(1, 301), description="x" * 200)
        self.push()
        self.sync()
        self.write_tokens([999])
        self.push("One that would be created")
        with open(self.file, "rb") as file:
            good = file.read()
        with self.ledger() as ledger:
            ((root,),) = ledger.execute("SELECT rootpage FROM sqlite_master WHERE name = 'entry'")
        # Below the root of a WITHOUT ROWID table: its right-most page, named by the last four bytes of its header.
        header = good[(root - 1) * 4096:(root - 1) * 4096 + 12]
        self.assertEqual(header[0], 2, "the table of entries has more than one page")
        leaf = int.from_bytes(header[8:12], "big")
        creates = self.creates()

        def refused(bytes_, what):
            with open(self.file, "r+b") as file:
                file.truncate(0)
                file.write(bytes_)
            done = self.sync(expect=73)
            self.assertIn("ledger", done.stderr, what)
            self.assertRegex(done.stderr, "damaged|no database|does not end|its log", what)
            self.assertRegex(done.stderr, "backup|another file", what)
            self.assertEqual(self.creates(), creates, what)

        for size in (1, 100, 4096, len(good) // 2, len(good) // 2 // 4096 * 4096, len(good) - 4096, len(good) - 1):
            refused(good[:size], f"cut to {size} bytes")
        refused(b"\0" * len(good), "all zeros")
        refused(b"\xff" * 100 + good[100:], "another header")
        for page in (root, leaf):
            at = (page - 1) * 4096
            refused(good[:at] + bytes(4096) + good[at + 4096:], f"page {page} zeroed")
        # One bit within the number of an entry: nothing that SQLite would notice.
        at = good.index(b"confirmed", (leaf - 1) * 4096, leaf * 4096) - 1
        self.assertIn(good[at:at + 1], b"0123456789")
        refused(good[:at] + bytes([good[at] ^ 1]) + good[at + 1:], f"byte {at} flipped")

        # An empty file is a ledger that is lost.
        with open(self.file, "r+b") as file:
            file.truncate(0)
        done = self.sync(expect=0)
        self.assertIn("is gone", done.stderr)
        self.assert_converged(301)
        self.assertEqual(self.creates(), creates + 1)


if __name__ == "__main__":
    unittest.main(verbosity=2)
