#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The ends of the demo's conversations.

peers.py serve                    web server on port 80 (GET /N: N bytes; GET /slow/N: at about 6 MB/s), UDP echo on port 7, UDP sink on port 9
peers.py send HOST PORT COUNT     COUNT datagrams, 0.1 s apart; prints "local port, time of the last in Unix ns"
peers.py ask HOST PORT            a datagram and its answer, twice
peers.py hold HOST                one HTTP connection: each line on stdin is a request, each "200" on stdout its answer
"""

import http.client
import http.server
import socket
import sys
import threading
import time


class Page(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        pause_s = 0.01 if self.path.startswith("/slow/") else 0
        size = int(self.path.rpartition("/")[2])
        self.send_response(200)
        self.send_header("Content-Length", str(size))
        self.end_headers()
        while size > 0:
            size -= self.wfile.write(bytes(min(size, 65536)))
            time.sleep(pause_s)

    def log_message(self, *_):
        pass


class DualStackServer(http.server.ThreadingHTTPServer):
    address_family = socket.AF_INET6
    daemon_threads = True

    def handle_error(self, *_):
        pass  # a client that leaves in the middle is part of the show


def echo():
    peer = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    peer.bind(("::", 7))
    while True:
        data, sender = peer.recvfrom(2048)
        peer.sendto(data, sender)


def serve():
    sink = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    sink.bind(("::", 9))
    threading.Thread(target=echo, daemon=True).start()
    DualStackServer(("::", 80), Page).serve_forever()


def connected(host, port):
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    peer = socket.socket(family, socket.SOCK_DGRAM)
    peer.connect((host, int(port)))
    return peer


def send(host, port, count):
    peer = connected(host, port)
    for i in range(int(count)):
        if i > 0:
            time.sleep(0.1)
        sent_ns = time.time_ns()
        peer.send(bytes(100))
    print(peer.getsockname()[1], sent_ns)


def ask(host, port):
    peer = connected(host, port)
    peer.settimeout(2)
    for _ in range(2):
        peer.send(b"hello")
        peer.recv(2048)


def hold(host):
    connection = http.client.HTTPConnection(host, 80)
    for _ in sys.stdin:
        connection.request("GET", "/100")
        answer = connection.getresponse()
        answer.read()
        print(answer.status, flush=True)


if __name__ == "__main__":
    {"serve": serve, "send": send, "ask": ask, "hold": hold}[sys.argv[1]](*sys.argv[2:])
