"""Where a server can be reached: which hosts may open a page's connection, and under which path the pages stand."""

from __future__ import annotations

import ipaddress
import logging
import re
import socket
from collections.abc import Iterable
from urllib.parse import urlsplit

from panel.io import location

from glasshouse.schema.errors import bad_value

log = logging.getLogger(__name__)
HOST = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")
SEGMENT = re.compile(r"[A-Za-z0-9._~@%-]+")     # what Tornado's routes, which are regular expressions, take literally


def hosts(texts: Iterable[str]) -> list[str]:
    """``--allow-origin`` as Bokeh compares them: ``host:port``, port 80 for a page's default one, lower case, IPv6 in brackets.

    Raises: BadValue for what is no host: an address with a path, a wildcard, a port that is none.
    """
    return [_host(text.strip().lower()) for text in texts]


def prefix(text: str) -> str:
    """``--prefix`` as "" or ``/one/two``.

    Raises: BadValue for a path that no page can stand under.
    """
    parts = [part for part in text.strip().strip("/").split("/") if text.strip("/ ")]
    if not all(SEGMENT.fullmatch(part) and part.strip(".") for part in parts):
        raise bad_value("prefix", text, "a path such as /user/ann/lab, of letters, digits and . _ ~ @ % -")
    return "".join(f"/{part}" for part in parts)


def origins(port: int, workshop: bool, allowed: Iterable[str] = ()) -> list[str]:
    """Hosts from which a page may open its connection: the names and addresses of this machine, and those ``allowed``."""
    own = {"127.0.0.1", "localhost"}
    if workshop:
        name = socket.gethostname()
        own |= {name, f"{name}.local", socket.getfqdn(), *_addresses(name)}
    return [*(f"{host}:{port}" for host in sorted(own)), *allowed]


def takes_any_host() -> bool:
    """Panel splits a Host header at its only colon; IPv6 literals have more, and every page of theirs was an error 500.

    Its function is private: False, and nothing done, where it is not what we know.
    """
    split = getattr(location, "_get_location_params", None)
    if split is None:
        return False
    split = getattr(split, "plain", split)

    def parts(protocol: str | None, host: str | None, uri: str | None) -> dict[str, str]:
        try:
            found: dict[str, str] = split(protocol, host, uri)
        except ValueError:
            found = split(protocol, None, uri)         # the browser knows where it is; nothing here reads it
        return found

    parts.plain = split                                # type: ignore[attr-defined]
    location._get_location_params = parts
    return True


def _host(text: str) -> str:
    allowed = "a host such as hub.example.org or localhost:8000, without https:// and path"
    try:
        found = urlsplit(f"//{text}")
        name, port = found.hostname or "", found.port
    except ValueError:
        raise bad_value("allow_origin", text, allowed) from None
    if "*" in text:
        raise bad_value("allow_origin", text, f"{allowed}; each by its name, for every page of a host let in can drive the labs")
    literal = text.startswith("[")
    if found.netloc != text or "@" in text or text.endswith(":") or port == 0 or not (_is_v6(name) if literal else HOST.fullmatch(name)):
        raise bad_value("allow_origin", text, allowed)
    return text if literal else f"{name}:{80 if port in (None, 443) else port}"


def _is_v6(name: str) -> bool:
    try:
        return ipaddress.ip_address(name).version == 6
    except ValueError:
        return False


def _addresses(name: str) -> set[str]:
    """Of this machine, as far as they can be had; nothing is sent."""
    found: set[str] = set()
    try:
        found |= {str(info[4][0]) for info in socket.getaddrinfo(name, None, socket.AF_INET)}
    except OSError:
        log.info("this machine's name has no address")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))     # an address for documentation: asks only which way out would be taken
            found.add(str(probe.getsockname()[0]))
        except OSError:
            log.info("this machine has no way out")
    return found
