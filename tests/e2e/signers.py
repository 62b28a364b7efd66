"""Signatures on commits, by the real ssh-keygen and gpg, with keys made at run time."""

import os
import subprocess


def run(*arguments, **options):
    return subprocess.run(arguments, check=True, capture_output=True, text=True, **options).stdout


class SshSigner:
    """A key of ssh-keygen. `options` are git's, ahead of `commit -S`."""

    def __init__(self, folder, name, kind="ed25519"):
        self.key = os.path.join(folder, name)
        run("ssh-keygen", "-q", "-t", kind, "-N", "", "-C", name, "-f", self.key)
        self.options = ("-c", "gpg.format=ssh", "-c", f"user.signingKey={self.key}")

    def allowed(self, principal, options='namespaces="git"'):
        """A line of an allowed_signers file."""
        with open(self.key + ".pub", encoding="utf-8") as file:
            kind, key, _ = file.read().split()
        return f"{principal} {options} {kind} {key}\n"


class GpgSigner:
    """A key of gpg in a home of its own."""

    def __init__(self, folder, name, email, expires="0", made=None):
        self._home = os.path.join(folder, name)
        os.mkdir(self._home, 0o700)
        # Where a key has expired: signed with it before that.
        self._time = ("--faked-system-time", made) if made else ()
        self._gpg(*self._time, "--passphrase", "", "--quick-generate-key", f"{name} <{email}>", "ed25519", "sign", expires)
        self.fingerprint = next(line.split(":")[9] for line in self._gpg("--list-keys", "--with-colons").splitlines()
                                if line.startswith("fpr:"))
        program = os.path.join(folder, name + "-gpg")
        with open(program, "w", encoding="utf-8") as file:
            file.write(f"#!/bin/sh\nexec gpg --homedir '{self._home}' --batch {' '.join(self._time)} \"$@\"\n")
        os.chmod(program, 0o755)
        self.options = ("-c", "gpg.format=openpgp", "-c", f"gpg.program={program}", "-c",
                        f"user.signingKey={self.fingerprint}")

    def _gpg(self, *arguments):
        return run("gpg", "--homedir", self._home, "--batch", "--quiet", *arguments)

    def public_key(self):
        return self._gpg("--armor", "--export", self.fingerprint)

    def close(self):
        """gpg leaves an agent behind."""
        run("gpgconf", "--homedir", self._home, "--kill", "all")
