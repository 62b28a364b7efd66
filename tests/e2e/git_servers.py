"""Real git servers on loopback that take pushes and give fetches: a plain path, https (nginx, fcgiwrap and git's own
http-backend, behind a private authority and a password), and ssh (OpenSSH's sshd). Keys, certificates and passwords are
made at run time. Each server ends with close(), and with the process that started it."""

import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import time

SEARCH = os.environ.get("PATH", "/usr/bin:/bin") + ":/usr/sbin:/sbin"
DEADLINE = 30.0
GATEWAYS = 4  # calls of git http-backend at once: a hook's fetch does not wait for the push that it belongs to


def program(name):
    """The whole path of an installed program; servers are not in everybody's PATH."""
    found = shutil.which(name, path=SEARCH)
    if found is None:
        raise FileNotFoundError(f"{name} is not installed; tests/setup.sh names its package")
    return found


def run(*arguments):
    return subprocess.run(arguments, check=True, capture_output=True, text=True).stdout


def put(path, text, mode=0o600):
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w", encoding="utf-8") as file:
        file.write(text)
    return path


def free_port():
    """A port that the kernel picked. Another program may take it meanwhile: who uses it tries again."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def answers(port):
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0


class Children:
    """Programs that end with this process, however that ends."""

    def __init__(self):
        self._started = []

    def start(self, *arguments, log, **options):
        with open(log, "ab") as errors:
            child = subprocess.Popen([program("setpriv"), "--pdeathsig", "KILL", *arguments], stdout=errors, stderr=errors,
                                     start_new_session=True, **options)
        self._started.append(child)
        return child

    def start_listening(self, arguments_for, log):
        """Starts a program that listens on a port which it is told; gives the port."""
        for _ in range(5):
            port = free_port()
            child = self.start(*arguments_for(port), log=log, stdin=subprocess.DEVNULL)
            end = time.monotonic() + DEADLINE
            while child.poll() is None and time.monotonic() < end:
                if answers(port):
                    return port
                time.sleep(0.005)
        with open(log, encoding="utf-8") as text:
            raise RuntimeError(f"{arguments_for(0)[0]} does not start: {text.read()}")

    def signal(self, number):
        for child in self._started:
            if child.poll() is None:
                os.killpg(child.pid, number)

    def close(self):
        self.signal(signal.SIGKILL)
        for child in self._started:
            child.wait(DEADLINE)
        self._started.clear()


class PathServer:
    """No server at all: the repository's own path."""

    name = "path"

    def __init__(self, repository):
        self.url = repository
        self.git_settings = {}  # what a clone sets so that real git gets in
        self.source = {"url": self.url}  # what the configuration says so that tokensyncd gets in

    def close(self):
        pass


class SshServer:
    """sshd with an ed25519 host key, for one user with one key."""

    name = "ssh"

    def __init__(self, folder, repository):
        os.makedirs(folder)
        self._children = Children()
        self._folder = folder
        # sshd wants it when it starts as root; packages make it when a real server starts.
        if os.geteuid() == 0:
            os.makedirs("/run/sshd", exist_ok=True)
        host = self.make_key("host")
        self.key_file = self.make_key("user")
        with open(self.key_file + ".pub", encoding="utf-8") as file:
            put(self._at("authorized"), file.read())

        def arguments(port):
            put(self._at("sshd_config"),
                f"ListenAddress 127.0.0.1:{port}\nHostKey {host}\nAuthorizedKeysFile {self._at('authorized')}\n"
                "PidFile none\nUsePAM no\nUseDNS no\nStrictModes no\nPermitRootLogin yes\nPasswordAuthentication no\n"
                "KbdInteractiveAuthentication no\n")
            return program("sshd"), "-D", "-e", "-f", self._at("sshd_config")

        port = self._children.start_listening(arguments, self._at("log"))
        with open(host + ".pub", encoding="utf-8") as file:
            self.known_hosts_file = put(self._at("known_hosts"), f"[127.0.0.1]:{port} {file.read()}")
        self.url = f"ssh://{pwd.getpwuid(os.geteuid()).pw_name}@127.0.0.1:{port}{repository}"
        self.git_settings = {
            "core.sshCommand": f"ssh -F /dev/null -i {self.key_file} -o IdentitiesOnly=yes -o StrictHostKeyChecking=yes "
                               f"-o UserKnownHostsFile={self.known_hosts_file}"}
        self.source = {"url": self.url, "ssh_key_file": self.key_file, "known_hosts_file": self.known_hosts_file}

    def _at(self, name):
        return os.path.join(self._folder, name)

    def make_key(self, name):
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", self._at(name))
        return self._at(name)

    def close(self):
        self._children.close()


class HttpsServer:
    """nginx with TLS in front of git http-backend; reading and pushing both want user and password."""

    name = "https"

    def __init__(self, folder, repository):
        os.makedirs(folder)
        self._children = Children()
        self._gateways = Children()
        self._folder = folder
        self.user = "deploy"
        self.password = secrets.token_hex(24)
        self.ca_file = self._at("ca.pem")
        self._make_certificates()
        put(self._at("users"), f"{self.user}:{run('openssl', 'passwd', '-apr1', self.password)}", 0o644)
        self._start_gateways()

        def arguments(port):
            put(self._at("nginx.conf"), self._configuration(port, os.path.dirname(repository)))
            return program("nginx"), "-p", folder, "-e", self._at("error.log"), "-c", self._at("nginx.conf")

        port = self._children.start_listening(arguments, self._at("nginx.log"))
        self.url = f"https://localhost:{port}/{os.path.basename(repository)}"
        store = put(self._at("credentials"), f"https://{self.user}:{self.password}@localhost:{port}\n")
        self.git_settings = {"http.sslCAInfo": self.ca_file, "credential.helper": f"store --file={store}"}
        self.token_file = put(self._at("token"), self.password + "\n")
        self.source = {"url": self.url, "username": self.user, "token_file": self.token_file, "ca_file": self.ca_file}

    def _at(self, name):
        return os.path.join(self._folder, name)

    def _make_certificates(self):
        curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
        run("openssl", "req", "-x509", *curve, "-days", "2", "-subj", "/CN=Test Authority", "-addext",
            "keyUsage=critical,keyCertSign", "-keyout", self._at("ca.key"), "-out", self.ca_file)
        run("openssl", "req", *curve, "-subj", "/CN=localhost", "-keyout", self._at("server.key"), "-out",
            self._at("server.csr"))
        put(self._at("extensions"), "subjectAltName=DNS:localhost\n")
        run("openssl", "x509", "-req", "-days", "2", "-in", self._at("server.csr"), "-CA", self.ca_file, "-CAkey",
            self._at("ca.key"), "-CAcreateserial", "-extfile", self._at("extensions"), "-out", self._at("server.pem"))

    def _start_gateways(self):
        environment = {"HOME": self._folder, "PATH": SEARCH, "GIT_CONFIG_NOSYSTEM": "1"}
        with socket.socket(socket.AF_UNIX) as gate:
            gate.bind(self._at("gate"))
            gate.listen(64)
            for _ in range(GATEWAYS):
                self._gateways.start(program("fcgiwrap"), log=self._at("gateway.log"), stdin=gate, env=environment)

    def _configuration(self, port, repositories):
        at = self._folder
        temporary = "".join(f"{name}_temp_path {at}/t-{name};\n"
                            for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        # The default user is another one than root, and could not read these folders.
        user = "user root;\n" if os.geteuid() == 0 else ""
        return f"""daemon off;
master_process off;
{user}pid {at}/nginx.pid;
error_log {at}/error.log;
events {{}}
http {{
access_log off;
client_max_body_size 0;
{temporary}server {{
listen 127.0.0.1:{port} ssl;
ssl_certificate {at}/server.pem;
ssl_certificate_key {at}/server.key;
location ~ ^/(.*)$ {{
auth_basic git;
auth_basic_user_file {at}/users;
fastcgi_pass unix:{at}/gate;
fastcgi_param SCRIPT_FILENAME /usr/lib/git-core/git-http-backend;
fastcgi_param GIT_HTTP_EXPORT_ALL 1;
fastcgi_param GIT_PROJECT_ROOT {repositories};
fastcgi_param PATH_INFO /$1;
fastcgi_param QUERY_STRING $query_string;
fastcgi_param REQUEST_METHOD $request_method;
fastcgi_param CONTENT_TYPE $content_type;
fastcgi_param CONTENT_LENGTH $content_length;
fastcgi_param REMOTE_USER $remote_user;
fastcgi_param REMOTE_ADDR $remote_addr;
}}
}}
}}
"""

    def hang(self):
        """From now on requests are taken, and none is answered."""
        self._gateways.signal(signal.SIGSTOP)

    def go_on(self):
        self._gateways.signal(signal.SIGCONT)

    def close(self):
        self._children.close()
        self._gateways.close()
