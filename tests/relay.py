"""A reverse proxy of a few lines: passes on what is under one path, notes what is not, can be cut and mended."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from types import TracebackType
from typing import Self


class Relay:
    """In front of ``port``. ``paths`` are those asked for, ``strays`` those outside ``prefix``, which get a 404.

    ``strip``: the prefix is taken away before the request is passed on, as a Jupyter proxy does.
    Without ``sockets`` no WebSocket is passed on.
    """

    def __init__(self, port: int, prefix: str = "", strip: bool = False, sockets: bool = True) -> None:
        self.to, self.prefix, self.strip, self.sockets = port, prefix, strip, sockets
        self.paths: list[str] = []
        self.strays: list[str] = []
        self.flow = threading.Event()       # cleared: connections stay, but nothing passes
        self.flow.set()
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._whole = True
        self._door = socket.create_server(("127.0.0.1", 0))
        self.host = f"127.0.0.1:{self._door.getsockname()[1]}"
        self.url = f"http://{self.host}{prefix}/"
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.flow.set()
        self.cut()
        self._door.close()

    def cut(self) -> None:
        """Every connection ends, every new one is closed at once."""
        with self._lock:
            self._whole = False
            for one in self._open:
                with suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)

    def mend(self) -> None:
        self._whole = True

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=self._serve, args=(self._door.accept()[0],), daemon=True).start()

    def _serve(self, browser: socket.socket) -> None:
        """One request a connection, so that each is seen."""
        with browser, suppress(OSError):
            head = b""
            while b"\r\n\r\n" not in head:
                part = browser.recv(65536)
                if not part:
                    return
                head += part
            if not self._whole:
                return
            lines, _, rest = head.partition(b"\r\n\r\n")
            first, *headers = lines.split(b"\r\n")
            verb, path, version = first.decode().split(" ")
            self.paths.append(path)
            if not path.startswith(f"{self.prefix}/"):
                self.strays.append(path)
                browser.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                return
            if any(h.lower().startswith(b"upgrade:") for h in headers):
                if not self.sockets:
                    return
            else:
                headers = [*(h for h in headers if not h.lower().startswith(b"connection:")), b"Connection: close"]
            passed = path.removeprefix(self.prefix) if self.strip else path
            with socket.create_connection(("127.0.0.1", self.to)) as server:
                server.sendall(b"\r\n".join([f"{verb} {passed} {version}".encode(), *headers, b"", b""]) + rest)
                with self._lock:
                    self._open |= {browser, server}
                back = threading.Thread(target=_pour, args=(server, browser, self.flow), daemon=True)
                back.start()
                _pour(browser, server, self.flow)
                back.join()
                with self._lock:
                    self._open -= {browser, server}


def _pour(source: socket.socket, sink: socket.socket, flow: threading.Event) -> None:
    with suppress(OSError):
        while part := source.recv(65536):
            flow.wait()
            sink.sendall(part)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_WR)
