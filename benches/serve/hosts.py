"""Hosts of certificates on 127.77.1.N:8443, each with a fault of its own: what benches/serve/faults.sh fetches from.

    hosts.py FOLDER NAME=N ...

FOLDER holds what each host shows in TLS (NAME.pem, certificate and key; good.pem for all others) and what it serves
(twill.pem, cascade.pem). Says "ready" when all listen, and ends when its standard input does.
"""

import pathlib
import socket
import ssl
import sys
import threading
import time


def whole(status: str, body: bytes, fields: str = "") -> bytes:
    head = f"HTTP/1.1 {status}\r\n{fields}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    return head.encode() + body


def answer(name: str, stream: ssl.SSLSocket, folder: pathlib.Path) -> None:
    request = b""
    while b"\r\n\r\n" not in request:
        piece = stream.recv(4096)
        if not piece:
            return
        request += piece
    good = whole("200 OK", (folder / "twill.pem").read_bytes())
    if name == "slow":
        for byte in good:
            stream.sendall(bytes([byte]))
            time.sleep(1)
    elif name == "endless":
        stream.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
        while True:
            stream.sendall(b"x" * 16384)
    answers = {
        "500": whole("500 Internal Server Error", b"x"),
        "404": whole("404 Not Found", b"x"),
        "301": whole("301 Moved Permanently", b"", "Location: https://127.77.1.1:8443/twill.pem\r\n"),
        "no-certificate": whole("200 OK", b"<html><title>Welcome</title></html>"),
        "other-key": whole("200 OK", (folder / "cascade.pem").read_bytes()),
    }
    stream.sendall(answers.get(name, good))
    stream.close()


def serve(name: str, listener: socket.socket, folder: pathlib.Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    own = folder / f"{name}.pem"
    context.load_cert_chain(own if own.exists() else folder / "good.pem")

    def talk(connection: socket.socket) -> None:
        try:
            if name == "mute":
                while connection.recv(4096):
                    pass
                return
            with context.wrap_socket(connection, server_side=True) as stream:
                answer(name, stream, folder)
        except OSError:
            pass  # A client that gives up is what this is for.
        finally:
            connection.close()

    while True:
        connection, _ = listener.accept()
        threading.Thread(target=talk, args=(connection,), daemon=True).start()


def main() -> None:
    folder = pathlib.Path(sys.argv[1])
    for place in sys.argv[2:]:
        name, number = place.split("=")
        listener = socket.create_server((f"127.77.1.{number}", 8443), backlog=256)
        threading.Thread(target=serve, args=(name, listener, folder), daemon=True).start()
    print("ready", flush=True)
    sys.stdin.read()


main()
