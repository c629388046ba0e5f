"""tcpdump expressions: what libpcap is given, and what the user is told."""

import socket

import pytest
from rxgate.compiler.errors import InputError
from rxgate.compiler.load import pcap_filter
from rxgate.compiler.load.classic_insn import text
from rxgate.compiler.load.pcap_filter import compile_expression


def refusal(expression: str) -> str:
    with pytest.raises(InputError) as caught:
        compile_expression(expression)
    return str(caught.value)


def test_vlan_tests_bytes_of_the_frame() -> None:
    assert [text(i) for i in compile_expression("vlan 5")] == [
        "ldh [12]", "jeq #0x8100, +2, +0", "jeq #0x88a8, +1, +0", "jeq #0x9100, +0, +4",
        "ldh [14]", "and #0xfff", "jeq #0x5, +0, +1", "ret #262144", "ret #0",
    ]


def test_the_empty_expression_matches_all() -> None:
    assert [text(i) for i in compile_expression("")] == ["ret #262144"]


def test_the_same_expression_gives_the_same_code() -> None:
    expression = "tcp port 80 or udp port 53"
    assert compile_expression(expression) == compile_expression(expression)


@pytest.mark.parametrize(
    ("expression", "name"),
    [
        ("host foo", "foo"), ("src foo.example", "foo.example"), ("ip host (::1 or foo)", "foo"),
        ("port 80 or src foo", "foo"), ("port 80 && src foo", "foo"), ("! host foo", "foo"),
        ("host 1.2.3.4 or foo", "foo"), ("net foo", "foo"), ("ether host beef", "beef"),
        (r"host \tcp", "tcp"), ("tcp[13] = 2 and dst host 3com", "3com"),
    ],
)
def test_names_of_hosts_are_never_looked_up(
    expression: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    compile_filter = pcap_filter.compile_filter
    probes = []

    def spy(text: str) -> object:
        probes.append(text)
        return compile_filter(text)

    monkeypatch.setattr(pcap_filter, "compile_filter", spy)
    assert refusal(expression) == (
        f"in the filter expression {expression!r}: {name!r} is the name of a host or network; "
        "names are not looked up, since the hardware would depend on the answer. Write the address "
        "instead, for example `host 192.0.2.1`."
    )
    assert all(p.startswith("ether host ") for p in probes)


@pytest.mark.parametrize(
    "expression",
    [
        "host fe80::1", "net 2001:db8::/32", "ether host 02:00:00:00:00:01", "net 10.0.0.0/8",
        "ether host 02-00-00-00-00-01", "ether host aabb.ccdd.eeff", "host 10.0.0.1 or 10.0.0.2",
        "tcp[tcpflags] & (tcp-syn|tcp-fin) != 0", r"ether proto \arp", "icmp[icmptype] = icmp-echo",
    ],
)
def test_addresses_and_keywords_are_no_names(expression: str) -> None:
    assert compile_expression(expression)


def test_unknown_protocol(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(name: str) -> int:
        raise OSError("protocol not found")

    assert compile_expression(r"ip proto \udp")
    monkeypatch.setattr(socket, "getprotobyname", unknown)
    assert refusal(r"ip proto \udp") == (
        r"in the filter expression 'ip proto \\udp': this machine knows no IP protocol named 'udp' "
        "(they are listed in /etc/protocols, Debian package netbase). Write its number instead, "
        "for example `ip proto 89`."
    )
    assert compile_expression(r"ether proto \ip") == compile_expression("ip")


def test_unknown_port() -> None:
    assert refusal("port no-such-service") == (
        "in the filter expression 'port no-such-service': unknown port 'no-such-service'. Names of "
        "ports come from this machine's /etc/services (Debian package netbase); write the number "
        "instead, for example `port 53`."
    )


def test_minus_without_spaces() -> None:
    assert refusal("ether[len-1] = 3") == (
        "in the filter expression 'ether[len-1] = 3': can't parse filter expression: syntax error. "
        "A minus sign needs a space on each side: `len - 1`."
    )


def test_nul() -> None:
    assert refusal("tcp\0") == (
        "the filter expression 'tcp\\x00' contains characters other than ASCII text"
    )
