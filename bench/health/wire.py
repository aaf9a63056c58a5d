# SPDX-License-Identifier: GPL-2.0-or-later
"""What the wire shows: when the last probe was sent that was answered."""
import socket
import struct

from .listener import Listener

ETH_P_ALL, ETH_P_IP = 3, 0x0800
SO_TIMESTAMPNS = 35
ECHO_REPLY, ECHO_REQUEST = 0, 8
BFD_PORT = 3784
PACKET_OUTGOING = 4


class Wire:
    """A tap between router and server, stamped by the kernel. `answered[A]`: when the last request to address A was sent that
    the server has answered. `bfd`: when the server's last BFD packet has passed. In ns of the real-time clock."""

    def __init__(self, lab):
        self.answered, self.bfd = {}, 0
        self._asked = {}
        self._socket = lab.call_inside("switch", _tap)
        self._listener = Listener(self._socket.fileno(), self._receive)

    def __enter__(self):
        self._listener.__enter__()
        return self

    def __exit__(self, *_):
        self._listener.__exit__()
        self._socket.close()

    def _receive(self):
        frame, ancillary, _, address = self._socket.recvmsg(256, 64)
        seconds, nanoseconds = struct.unpack("qq", ancillary[0][2])
        self._take(frame, address[2] == PACKET_OUTGOING, seconds * 10**9 + nanoseconds)
        return True

    def _take(self, frame, from_server, at_ns):
        if len(frame) < 42 or frame[12:14] != ETH_P_IP.to_bytes(2, "big"):
            return
        payload = 14 + 4 * (frame[14] & 15)
        source, destination = (socket.inet_ntoa(frame[i : i + 4]) for i in (26, 30))
        if frame[23] == socket.IPPROTO_UDP:
            if from_server and int.from_bytes(frame[payload + 2 : payload + 4], "big") == BFD_PORT:
                self.bfd = at_ns
        elif frame[23] == socket.IPPROTO_ICMP:
            kind, which = frame[payload], frame[payload + 4 : payload + 8]
            if kind == ECHO_REQUEST:
                self._asked[destination] = (which, at_ns)
            elif kind == ECHO_REPLY and self._asked.get(source, (None,))[0] == which:
                self.answered[source] = self._asked[source][1]


def _tap():
    tap = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    tap.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    tap.bind(("to-router", 0))  # what leaves by it comes from the server
    return tap
