"""Behind a real nginx with the configuration that docs/security.md shows, and past it."""

from __future__ import annotations

import http.client
import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from territory.access import audit_log
from territory.store import open_store
from tests.fixtures.waiting import until

DOCS = Path(__file__).resolve().parents[2] / "docs" / "security.md"
HOST = "maps.example.com"
CLIENT = "127.0.0.2"  # another machine, as far as nginx can tell
NGINX = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
pytestmark = pytest.mark.skipif(NGINX is None, reason="needs nginx (apt-get install nginx-light)")
FORM = "login=nobody%40example.com&password=a+wrong+guess+each&csrf_token="


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def write_certificate(folder: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "maps.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "maps.key").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )


def configuration(folder: Path, public: int, inner: int) -> str:
    """Take the server of the docs, with other ports and files, into a whole configuration."""
    shown = re.search(r"```nginx\n(.*?)```", DOCS.read_text(), re.DOTALL)[1]
    server = (
        shown.replace("listen 443", f"listen 127.0.0.1:{public}")
        .replace("127.0.0.1:8000", f"127.0.0.1:{inner}")
        .replace("/etc/ssl/certs", str(folder))
        .replace("/etc/ssl/private", str(folder))
    )
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = "\n".join(f"{kind}_temp_path {folder}/{kind};" for kind in kinds)
    return (
        f"daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log;\n"
        f"events {{}}\nhttp {{ access_log off; {temporary}\n{server} }}\n"
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("nginx")


@pytest.fixture(scope="module")
def ports(folder):
    """Serve an empty store behind nginx; give the ports of nginx and of the server itself."""
    write_certificate(folder)
    public, inner = free_port(), free_port()
    (folder / "nginx.conf").write_text(configuration(folder, public, inner))
    environment = os.environ | {
        "TERRITORY_STORE": f"sqlite:///{folder}/store.sqlite",
        "TERRITORY_VAR": str(folder / "var"),
        "TERRITORY_HOSTS": HOST,
        "TERRITORY_PROXIES": "127.0.0.1",
    }
    serve = [
        sys.executable, "-c", "from territory.cli.main import main; main()", "serve",
        "--port", str(inner), "--workers", "1",
    ]  # fmt: skip
    with (
        subprocess.Popen(serve, env=environment, stdout=subprocess.DEVNULL) as server,
        subprocess.Popen([NGINX, "-p", folder, "-c", folder / "nginx.conf"]) as nginx,
    ):
        try:
            until(lambda: is_open(inner) and is_open(public))
            yield public, inner
        finally:
            nginx.terminate()
            server.terminate()


def is_open(port: int) -> bool:
    with socket.socket() as tried:
        return tried.connect_ex(("127.0.0.1", port)) == 0


def through_nginx(ports, method="GET", path="/sign-in", body=None, **headers):
    trusted = ssl.create_default_context(ssl.Purpose.SERVER_AUTH)
    trusted.check_hostname, trusted.verify_mode = False, ssl.CERT_NONE
    connection = http.client.HTTPSConnection(
        "127.0.0.1", ports[0], context=trusted, timeout=60, source_address=(CLIENT, 0)
    )
    return answer(connection, method, path, body, headers)


def past_nginx(ports, method="GET", path="/sign-in", body=None, **headers):
    connection = http.client.HTTPConnection("127.0.0.1", ports[1], timeout=60)
    return answer(connection, method, path, body, headers)


def answer(connection, method, path, body, headers):
    # Python's names have no hyphen; what is written in capitals is meant as it stands.
    written = {
        name if name.isupper() else name.replace("_", "-"): value for name, value in headers.items()
    }
    named = {"Host": HOST} | written
    connection.request(method, path, body=body, headers=named)
    told = connection.getresponse()
    text = told.read().decode()
    connection.close()
    return told.status, text, told.headers


def test_the_documented_nginx_serves_by_tls(ports):
    status, text, headers = through_nginx(ports)
    assert status == 200
    assert "Sign in" in text
    assert "Secure" in headers["Set-Cookie"]


def test_what_a_client_writes_of_itself_is_not_believed(ports, folder):
    """Each guess claims another address; all are counted for the one that nginx saw."""
    _, text, headers = through_nginx(ports)
    token = re.search(r'name="csrf_token" value="([^"]+)"', text)[1]
    for number in range(3):
        status, _, _ = through_nginx(
            ports, "POST", body=FORM + token,
            Content_Type="application/x-www-form-urlencoded",
            Cookie=headers["Set-Cookie"].split(";")[0], Origin=f"https://{HOST}",
            Referer=f"https://{HOST}/sign-in",
            X_Forwarded_For=f"198.51.100.{number}", X_Real_IP=f"198.51.100.{number}",
            Forwarded=f"for=198.51.100.{number}",
        )  # fmt: skip
        assert status == 401
    with open_store(f"sqlite:///{folder}/store.sqlite") as store:
        found, _ = audit_log.search(store, action="session.refused")
    assert len(found) == 3
    assert found["payload"].str.contains('"address": "127.0.0.2"').all()


@pytest.mark.parametrize("header", ["X-Forwarded-Prefix", "X-Script-Name", "X-Forwarded-Host"])
def test_no_header_moves_the_app_or_renames_its_host(ports, header):
    status, text, _ = through_nginx(ports, **{header: "/evil"})
    assert status == 200
    assert "evil" not in text


def test_no_header_is_the_script_name(ports):
    for ask in (through_nginx, past_nginx):
        said = {"X-Forwarded-For": "198.51.100.7", "X-Forwarded-Proto": "https"}
        status, text, _ = ask(ports, SCRIPT_NAME="/evil", **said)
        assert status == 200
        assert "evil" not in text


def test_past_nginx_nobody_is_answered_without_its_word(ports):
    status, text, _ = past_nginx(ports)
    assert (status, "The proxy must say who asks" in text) == (403, True)
    status, text, _ = past_nginx(ports, X_Forwarded_Proto="https")
    assert (status, "unless TERRITORY_PROXIES names it" in text) == (403, True)
