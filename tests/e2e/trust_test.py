"""Trust in commits, with real signatures: what is applied, what is held and until when. History that was rewritten, and a
person's word for it. What is followed: tags and versions."""

import os
import re
import unittest

from harness import World, wait_until
from signers import GpgSigner, SshSigner

DONE, HELD, USAGE_OR_NOT_THERE = 0, 3, (64, 65, 75)


class Trust(World):
    def commit(self, numbers, signer=None, options=()):
        self.write_tokens(numbers)
        self.git("add", "--all")
        self.git(*(signer.options if signer else ()), "commit", "--quiet", "--allow-empty", *(["-S"] if signer else []),
                 *options, "--message", f"Bring {list(numbers)}")
        return self.git("rev-parse", "HEAD").strip()

    def push_head(self, *options):
        self.git("push", "--quiet", *options, "origin", "main")

    def commit_and_push(self, numbers, signer=None, **options):
        commit = self.commit(numbers, signer, **options)
        self.push_head()
        return commit

    def put(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)
        return self.path(name)

    def configure_source(self, **values):
        self.settings["source"].update(values)
        self.write_config()

    def notices(self, event):
        if not os.path.exists(self.settings["ledger"]["path"]):
            return []
        return [r for r in self.history() if r["event"] == event]

    def assert_held(self, commit, reason):
        """A pass does not touch this head, and says why; in the log it is noted once."""
        before = len(self.notices("head-refused"))
        tokens = self.held()
        done = self.sync(expect=HELD)
        self.sync(expect=HELD)
        self.assertRegex(done.stdout + done.stderr, reason)
        self.assertIn(commit[:8], done.stdout + done.stderr)
        [record] = self.notices("head-refused")[before:]
        self.assertEqual(record["commit"], commit)
        self.assertRegex(record["detail"], reason)
        self.assertRegex(self.run_program("status", expect=0).stdout, reason)
        self.assertEqual(self.status()["last_pass"]["result"], "held")
        self.assertEqual(self.held(), tokens)

    def signers_of_created(self):
        return {r["key"].split("/")[-1]: r["signer"] for r in self.history() if r["event"] == "token-created"}


class Signatures(Trust):
    def setUp(self):
        super().setUp()
        self.ada = SshSigner(self.folder, "ada")
        self.configure_source(verify="head", allowed_signers_file=self.put(
            "allowed_signers", "# the team\n" + self.ada.allowed("ada@example.com")))

    def test_an_unsigned_head_is_held_before_anything_is_read_and_a_signed_one_goes_on(self):
        self.commit_and_push([1], self.ada)
        self.sync(expect=DONE)
        self.assertIn("ada@example.com", self.signers_of_created()["1"])
        self.write("broken.yaml", "projectId: [1\n")
        head = self.commit_and_push([2])
        self.assert_held(head, "(?i)not signed|no signature|unsigned")
        self.assertNotIn("broken.yaml", self.run_program("status", expect=0).stdout)
        os.remove(self.path("clone/broken.yaml"))
        self.commit_and_push([3], self.ada)
        self.sync(expect=DONE)
        self.assertEqual(set(self.held()), {"1", "2", "3"})
        self.run_program("audit", expect=0)

    def test_each_kind_of_bad_ssh_signature_is_told_apart(self):
        self.commit_and_push([1], self.ada)
        self.sync(expect=DONE)
        eve = SshSigner(self.folder, "eve")
        self.assert_held(self.commit_and_push([2], eve), "is in no line of source.allowed_signers_file")
        former = SshSigner(self.folder, "former")
        other_use = SshSigner(self.folder, "other_use")
        self.put("allowed_signers", self.ada.allowed("ada@example.com") +
                 former.allowed("former@example.com", 'namespaces="git",valid-before="20200101"') +
                 other_use.allowed("other@example.com", 'namespaces="file"'))
        self.assert_held(self.commit_and_push([3], former), "(?i)valid|expired|no longer")
        self.assert_held(self.commit_and_push([4], other_use), "(?i)namespace")
        # The signature of one commit on the text of another.
        signed = self.command("git", "cat-file", "commit", self.commit([5], self.ada), cwd=self.clone)
        forged = self.command("git", "hash-object", "-t", "commit", "-w", "--stdin", cwd=self.clone,
                              input=signed.replace("Bring [5]", "Bring [6]")).strip()
        self.git("reset", "--quiet", "--hard", forged)
        self.push_head()
        self.assert_held(forged, "(?i)does not (fit|match|verify|belong)|is not (good|right|for)|bad|incorrect|wrong")
        self.commit_and_push([7], self.ada)
        self.sync(expect=DONE)
        self.assertEqual(set(self.held()), {"1", "2", "3", "4", "5", "7"})

    def test_openpgp_signatures(self):
        grace = GpgSigner(self.folder, "grace", "grace@example.com")
        late = GpgSigner(self.folder, "late", "late@example.com", expires="1d", made="20200101T000000")
        eve = GpgSigner(self.folder, "eve", "eve@example.com")
        for signer in (grace, late, eve):
            self.addCleanup(signer.close)
        self.configure_source(openpgp_keyring_file=self.put("keyring.asc", grace.public_key() + late.public_key()))
        self.commit_and_push([1], grace)
        self.sync(expect=DONE)
        self.assertRegex(self.signers_of_created()["1"], "grace@example.com|" + grace.fingerprint)
        self.assert_held(self.commit_and_push([2], eve), "(?i)unknown|not (among|in|one of)|nobody")
        self.assert_held(self.commit_and_push([3], late), "(?i)expired")
        self.commit_and_push([4], self.ada)
        self.sync(expect=DONE)
        self.assertEqual(set(self.held()), {"1", "2", "3", "4"})

    def test_every_commit_is_verified_but_for_those_before_the_beginning(self):
        old = self.commit([1])
        self.commit_and_push([2], self.ada)
        self.configure_source(verify="every")
        self.assert_held(self.git("rev-parse", "HEAD").strip(), f"{old[:8]}.*(?i:not signed|no signature|unsigned)")
        self.configure_source(verify_from=old)
        self.sync(expect=DONE)
        self.assertEqual(set(self.held()), {"1", "2"})
        middle = self.commit([3])
        head = self.commit_and_push([4], self.ada)
        self.assert_held(head, middle[:8])
        # Only the head counts, where that is what was asked for.
        self.configure_source(verify="head")
        self.sync(expect=DONE)
        self.assertIn("ada@example.com", self.signers_of_created()["3"])

    def test_the_signer_of_each_commit_stands_beside_what_it_brought(self):
        bob = SshSigner(self.folder, "bob")
        self.put("allowed_signers", self.ada.allowed("ada@example.com") + bob.allowed("bob@example.com"))
        self.configure_source(verify="every")
        self.commit([1], self.ada)
        self.commit_and_push([2], bob)
        self.sync(expect=DONE)
        signers = self.signers_of_created()
        self.assertIn("ada@example.com", signers["1"])
        self.assertIn("bob@example.com", signers["2"])

    def test_the_daemon_holds_a_head_and_goes_on_by_itself_when_its_key_is_trusted(self):
        bob = SshSigner(self.folder, "bob")
        self.settings["source"]["poll_interval"] = "1s"
        self.write_config()
        self.commit_and_push([1], bob)
        daemon = self.start_daemon()
        wait_until(lambda: "head-refused" in daemon.stderr(), "the head is held")
        self.assertEqual(self.held(), {})
        self.put("allowed_signers", bob.allowed("bob@example.com"))
        wait_until(lambda: set(self.held()) == {"1"}, "the token is created")
        self.assertEqual(len(self.notices("head-refused")), 1)
        self.assertEqual(daemon.stop(), 0)

    def test_keys_that_cannot_be_read_trust_nobody(self):
        self.commit_and_push([1], self.ada)
        os.remove(self.path("allowed_signers"))
        done = self.sync(expect=75)
        self.assertIn("allowed_signers", done.stderr)
        self.assertEqual(self.held(), {})


class Rewritten(Trust):
    def setUp(self):
        super().setUp()
        self.base = self.commit_and_push([1])
        self.old = self.commit_and_push([2])
        self.sync(expect=DONE)

    def rewrite(self, numbers):
        """Another history from the first commit on."""
        self.git("reset", "--quiet", "--hard", self.base)
        commit = self.commit(numbers)
        self.push_head("--force")
        return commit

    def hold(self):
        done = self.sync(expect=HELD)
        self.assertIn("history was rewritten", done.stdout + done.stderr)
        return re.search("tokensyncd approve ([0-9a-f]{8,})", done.stdout + done.stderr).group(1)

    def test_a_rewritten_history_is_held_until_exactly_its_plan_is_approved(self):
        head = self.rewrite([3])
        first = self.hold()
        self.assertEqual(self.hold(), first)
        [record] = self.notices("plan-held")
        self.assertEqual(record["commit"], head)
        self.assertIn(first, record["detail"])
        status = self.run_program("status", expect=0).stdout
        self.assertIn(first, status)
        self.assertIn("1 to create", status)
        self.commit_and_push([4])
        second = self.hold()
        self.assertNotEqual(second, first)
        self.assertIn(self.run_program("approve", first).returncode, USAGE_OR_NOT_THERE)
        self.hold()
        self.assertEqual(set(self.held()), {"1", "2"})
        self.run_program("approve", second, expect=DONE)
        self.assertEqual([r["detail"].count(second) for r in self.notices("plan-approved")], [1])
        self.sync(expect=DONE)
        self.assertEqual(set(self.held()), {"1", "2", "3", "4"})
        self.assertEqual(len(self.notices("history-rewritten")), 1)
        self.commit_and_push([5])
        self.sync(expect=DONE)
        self.run_program("audit", expect=0)

    def test_the_old_history_pushed_back_releases_the_hold(self):
        self.rewrite([3])
        self.hold()
        self.git("reset", "--quiet", "--hard", self.old)
        self.commit([4])
        self.push_head("--force")
        self.sync(expect=DONE)
        self.assertEqual(set(self.held()), {"1", "2", "4"})

    def test_approving_to_the_daemon_carries_the_plan_out(self):
        self.rewrite([3])
        fingerprint = self.hold()
        daemon = self.start_daemon()
        self.await_control()
        done = self.run_program("trigger", "--wait", expect=HELD)
        self.assertIn(fingerprint, done.stdout)
        self.assertIn(self.run_program("approve", "0" * 12).returncode, USAGE_OR_NOT_THERE)
        done = self.run_program("approve", fingerprint, "--wait", expect=DONE)
        self.assertIn("1 created", done.stdout)
        self.assertEqual(set(self.held()), {"1", "2", "3"})
        [record] = self.notices("plan-approved")
        self.assertRegex(record["actor"], str(os.getuid()))
        self.assertEqual(daemon.stop(), 0)

    def test_apply_takes_it_as_it_comes_and_notes_it(self):
        self.configure_source(on_rewrite="apply")
        head = self.rewrite([3])
        self.sync(expect=DONE)
        self.assertEqual(set(self.held()), {"1", "2", "3"})
        [record] = self.notices("history-rewritten")
        self.assertEqual(record["commit"], head)
        self.assertIn(self.old, record["detail"])


class Followed(Trust):
    def setUp(self):
        super().setUp()
        del self.settings["source"]["poll_interval"]

    def tag(self, name, number, *options):
        self.commit([number])
        self.git("tag", *options, name)
        self.git("push", "--quiet", "origin", "main", name)

    def test_the_newest_tag_of_a_pattern(self):
        self.configure_source(ref={"tag": "release-*"})
        self.commit_and_push([1])
        done = self.sync(expect=75)
        self.assertIn("release-*", done.stderr)
        self.tag("release-9", 2, "--annotate", "--message", "Nine")
        self.tag("other-99", 3)
        self.sync(expect=DONE)
        self.assertEqual(set(self.held()), {"1", "2"})
        self.tag("release-10", 4)
        self.commit_and_push([5])
        self.sync(expect=DONE)
        self.assertEqual(set(self.held()), {"1", "2", "3", "4"})
        self.assertIn("tags release-*", self.run_program("status", expect=0).stdout)

    def test_the_highest_version_in_a_range(self):
        self.configure_source(ref={"semver": ">=1.0.0 <2.0.0"})
        self.tag("v1.9.0", 1)
        self.sync(expect=DONE)
        self.tag("v1.10.0", 2)
        self.tag("v2.0.0", 3)
        self.tag("v1.11.0-rc.1", 4)
        self.sync(expect=DONE)
        self.assertEqual(set(self.held()), {"1", "2"})


if __name__ == "__main__":
    unittest.main(verbosity=2)
