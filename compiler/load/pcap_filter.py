"""A tcpdump expression (pcap-filter(7)) -> classic BPF, compiled by libpcap for Ethernet frames.

No interface stands behind it, so that `vlan`, `mpls` and the like test the bytes of the frame. The
result never depends on a network: host and network names are refused, not looked up. Port and
protocol names are the machine's own (/etc/services, /etc/protocols); an unknown one is refused.
"""

import re
import socket
from collections.abc import Iterator
from enum import Enum, auto

from ..errors import InputError
from .classic_insn import ClassicInsn
from .libpcap import LibpcapError, compile_filter


class _Kind(Enum):
    """What a name at this place of an expression stands for."""

    NOTHING = auto()
    HOST = auto()
    PORT = auto()
    IP_PROTOCOL = auto()
    OTHER = auto()


_TYPES = {
    "host": _Kind.HOST, "net": _Kind.HOST, "gateway": _Kind.HOST,
    "port": _Kind.PORT, "portrange": _Kind.PORT,
    "proto": _Kind.IP_PROTOCOL, "protochain": _Kind.IP_PROTOCOL,
}
_TYPES |= dict.fromkeys(("type", "subtype", "dir", "on", "ifname"), _Kind.OTHER)
_NOT_IP = {"ether", "link", "ppp", "slip", "fddi", "tr", "wlan", "iso", "isis"}
_JOINTS = {"and", "or", "not"}
_TOKEN = re.compile(
    r"(?P<escaped>\\[^ !()\n\t]+)"
    r"|(?P<address>[0-9A-Fa-f]*:[0-9A-Fa-f:.]+)"
    r"|(?P<word>[A-Za-z0-9](?:[-_.A-Za-z0-9]*[.A-Za-z0-9])?)"
    r"|(?P<index>\[[^]]*\])"
    r"|(?P<joint>&&|\|\||!)"
    r"|(?P<other>\S)"
)
_SHOWN = 200
"""Characters of an expression that a diagnostic repeats."""
_ADDRESS = re.compile(r"[0-9A-Fa-f.:-]+")


def compile_expression(expression: str) -> tuple[ClassicInsn, ...]:
    """Compile an expression; an empty one matches every frame.

    Matching frames get a non-zero return value. Raises InputError with libpcap's own words.
    """
    shown = _shorten(expression)
    if not expression.isascii() or "\0" in expression:
        raise InputError(f"the filter expression {shown} contains characters other than ASCII text")
    for name, kind in _names(expression):
        if kind is _Kind.HOST:
            raise InputError(
                f"in the filter expression {shown}: {_shorten(name)} is the name of a host or "
                "network; names are not looked up, since the hardware would depend on the answer. "
                "Write the address instead, for example `host 192.0.2.1`."
            )
        if kind is _Kind.IP_PROTOCOL and not _is_protocol(name):
            raise InputError(
                f"in the filter expression {shown}: this machine knows no IP protocol named "
                f"{_shorten(name)} (they are listed in /etc/protocols, Debian package netbase). "
                "Write its number instead, for example `ip proto 89`."
            )
    try:
        return compile_filter(expression)
    except LibpcapError as error:
        raise InputError(
            f"in the filter expression {shown}: {error}{_hint(str(error), expression)}"
        ) from None


def _shorten(text: str) -> str:
    """A text in quotes, its middle left out when it is long."""
    half = _SHOWN // 2
    return repr(text if len(text) <= _SHOWN else f"{text[:half]} ... {text[-half:]}")


def _hint(error: str, expression: str) -> str:
    """What to do about libpcap's error, where that is not plain."""
    if "port" in error and ("unknown" in error or "not a valid" in error):
        return (
            ". Names of ports come from this machine's /etc/services (Debian package netbase); "
            "write the number instead, for example `port 53`."
        )
    if "syntax error" in error and re.search(r"\w-\w[^[]*\]", expression):
        return ". A minus sign needs a space on each side: `len - 1`."
    return ""


def _is_protocol(name: str) -> bool:
    """Whether the machine knows an IP protocol; libpcap takes 0 for it when there is no list."""
    try:
        socket.getprotobyname(name)
    except OSError:
        return False
    return True


def _is_name(word: str) -> bool:
    """Whether libpcap reads a word as a name: not one of its keywords, numbers or addresses."""
    try:
        compile_filter(f"ether host {word}")
    except LibpcapError as error:
        return "unknown ether host" in str(error)
    return _ADDRESS.fullmatch(word) is None


def _names(expression: str) -> Iterator[tuple[str, _Kind]]:
    """The names in an expression, each with what the qualifiers before it make of it.

    Qualifiers that are left out are those of the previous primitive: `port domain or http`.
    """
    head: list[str] = []
    kind = _Kind.NOTHING
    for token in _TOKEN.finditer(expression):
        match token.lastgroup:
            case "escaped":
                yield token.group()[1:], _kind(head, kind)
            case "word" if token.group() in _JOINTS:
                kind, head = _kind(head, kind), []
            case "joint":
                kind, head = _kind(head, kind), []
            case "word" if _is_name(token.group()):
                yield token.group(), _kind(head, kind)
            case "word":
                head.append(token.group())
            case "index":
                kind, head = _Kind.NOTHING, []


def _kind(head: list[str], previous: _Kind) -> _Kind:
    """What a run of qualifiers makes of the name after it; a host where no type is given."""
    if not head:
        return previous
    kind = next((_TYPES[word] for word in reversed(head) if word in _TYPES), _Kind.HOST)
    if kind is _Kind.IP_PROTOCOL and not _NOT_IP.isdisjoint(head):
        return _Kind.OTHER
    return kind
