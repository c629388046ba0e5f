/* A parser as compilers of P4 write it: states of a graph (Ethernet, two VLAN tags, an MPLS stack of
 * two, IPv4, IPv6, TCP, UDP), an offset in bits, headers with validity flags; then a control block
 * that matches a table of 8 entries and runs the action found. A packet that the parser rejects is
 * aborted; what is no IP passes.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <rxgate/xdp.h>

#define ETHERTYPE_MPLS 0x8847
#define BYTES(bits) ((bits) / 8)
#define GET8(bits) at[BYTES(bits)]
#define GET16(bits) ((__u16)(GET8(bits) << 8 | GET8((bits) + 8)))
#define GET32(bits) ((__u32)GET16(bits) << 16 | GET16((bits) + 16))
#define NEED(bits) at = data + BYTES(offset); if (at + BYTES(bits) > data_end) goto reject

struct headers {
	struct {
		__u16 kind;
		__u8 valid;
	} ethernet;
	struct {
		__u16 id, kind;
		__u8 valid;
	} vlan[2];
	struct {
		__u32 label;
		__u8 bottom, valid;
	} mpls[2];
	struct {
		__u32 source, destination;
		__u16 place;
		__u8 ihl, ttl, protocol, valid;
	} ipv4;
	struct {
		__u32 source_high, destination_high;	/* 32 bits each: what the table looks at */
		__u8 next, hops, valid;
	} ipv6;
	struct {
		__u16 source, destination;
		__u8 flags, valid;
	} tcp;
	struct {
		__u16 source, destination, length;
		__u8 valid;
	} udp;
};

struct entry {
	__u32 net, net_mask;
	__u16 port, port_mask;
	__u16 vlan, vlan_mask;
	__u8 protocol, protocol_mask;
	__u8 action;
};

enum { NO_ACTION, FORWARD, REFLECT, BLOCK, SAMPLE };

#define ANY 0, 0

static const volatile struct entry table[8] = {
	{ 0x7f000000, 0xff000000, ANY, ANY, ANY, BLOCK },
	{ ANY, 7, 0xffff, ANY, IPPROTO_UDP, 0xff, REFLECT },
	{ 0x0a000000, 0xff000000, ANY, 100, 0xfff, ANY, FORWARD },
	{ 0x0a000000, 0xff000000, ANY, ANY, ANY, BLOCK },
	{ ANY, 22, 0xffff, ANY, IPPROTO_TCP, 0xff, BLOCK },
	{ ANY, 0, 0xfc00, ANY, IPPROTO_UDP, 0xff, SAMPLE },
	{ 0x20010db8, 0xffffffff, ANY, ANY, ANY, BLOCK },
	{ ANY, ANY, 666, 0xfff, ANY, BLOCK },
};

static __always_inline int apply(const struct headers *h)
{
	__u32 destination = h->ipv4.valid ? h->ipv4.destination : h->ipv6.destination_high;
	__u16 port = h->tcp.valid ? h->tcp.destination : h->udp.valid ? h->udp.destination : 0xffff;
	__u16 vlan = h->vlan[1].valid ? h->vlan[1].id : h->vlan[0].valid ? h->vlan[0].id : 0;
	__u8 protocol = h->ipv4.valid ? h->ipv4.protocol : h->ipv6.next;
	__u8 left = h->ipv4.valid ? h->ipv4.ttl : h->ipv6.hops;
	int action = NO_ACTION;

	if (!h->ipv4.valid && !h->ipv6.valid)
		return XDP_PASS;
	if (left <= 1)
		return XDP_DROP;
	if (h->tcp.valid && (h->tcp.flags & 3) == 3)
		return XDP_DROP;	/* SYN and FIN */
#pragma unroll
	for (int i = 7; i >= 0; i--) {
		const volatile struct entry *e = &table[i];
		__u32 other = ((destination ^ e->net) & e->net_mask) |
			((port ^ e->port) & e->port_mask) |
			((vlan ^ e->vlan) & e->vlan_mask) |
			((protocol ^ e->protocol) & e->protocol_mask);

		action = other ? action : e->action;
	}
	switch (action) {
	case REFLECT:
		return XDP_TX;
	case BLOCK:
		return XDP_DROP;
	case SAMPLE:
		return h->udp.valid && h->udp.length > 512 ? XDP_REDIRECT : XDP_PASS;
	default:
		return XDP_PASS;
	}
}

SEC("xdp")
int xdp_p4_parser(struct xdp_md *ctx)
{
	__u8 *data_end = (void *)(long)ctx->data_end;
	__u8 *data = (void *)(long)ctx->data;
	struct headers h = {};
	__u32 offset = 0;
	__u8 after, *at;

	NEED(112);
	h.ethernet.kind = GET16(96);
	h.ethernet.valid = 1;
	offset += 112;
	switch (h.ethernet.kind) {
	case ETH_P_8021Q:
	case ETH_P_8021AD: goto parse_vlan_0;
	case ETHERTYPE_MPLS: goto parse_mpls_0;
	case ETH_P_IP: goto parse_ipv4;
	case ETH_P_IPV6: goto parse_ipv6;
	default: goto accept;
	}

parse_vlan_0:
	NEED(32);
	h.vlan[0].id = GET16(0) & 0xfff;
	h.vlan[0].kind = GET16(16);
	h.vlan[0].valid = 1;
	offset += 32;
	switch (h.vlan[0].kind) {
	case ETH_P_8021Q: goto parse_vlan_1;
	case ETHERTYPE_MPLS: goto parse_mpls_0;
	case ETH_P_IP: goto parse_ipv4;
	case ETH_P_IPV6: goto parse_ipv6;
	default: goto accept;
	}

parse_vlan_1:
	NEED(32);
	h.vlan[1].id = GET16(0) & 0xfff;
	h.vlan[1].kind = GET16(16);
	h.vlan[1].valid = 1;
	offset += 32;
	switch (h.vlan[1].kind) {
	case ETHERTYPE_MPLS: goto parse_mpls_0;
	case ETH_P_IP: goto parse_ipv4;
	case ETH_P_IPV6: goto parse_ipv6;
	default: goto accept;
	}

parse_mpls_0:
	NEED(32);
	h.mpls[0].label = GET32(0) >> 12;
	h.mpls[0].bottom = GET8(16) & 1;
	h.mpls[0].valid = 1;
	offset += 32;
	if (h.mpls[0].bottom)
		goto parse_payload;

	NEED(32);
	h.mpls[1].label = GET32(0) >> 12;
	h.mpls[1].bottom = GET8(16) & 1;
	h.mpls[1].valid = 1;
	offset += 32;
	if (!h.mpls[1].bottom)
		goto reject;

parse_payload:
	NEED(8);
	switch (GET8(0) >> 4) {
	case 4: goto parse_ipv4;
	case 6: goto parse_ipv6;
	default: goto accept;
	}

parse_ipv4:
	NEED(160);
	h.ipv4.ihl = GET8(0) & 15;
	h.ipv4.place = GET16(48) & 0x1fff;
	h.ipv4.ttl = GET8(64);
	h.ipv4.protocol = GET8(72);
	h.ipv4.source = GET32(96);
	h.ipv4.destination = GET32(128);
	h.ipv4.valid = 1;
	if (GET8(0) >> 4 != 4 || h.ipv4.ihl < 5)
		goto reject;
	offset += h.ipv4.ihl * 32;
	if (h.ipv4.place)
		goto accept;
	after = h.ipv4.protocol;
	goto parse_transport;

parse_ipv6:
	NEED(320);
	h.ipv6.next = GET8(48);
	h.ipv6.hops = GET8(56);
	h.ipv6.source_high = GET32(64);
	h.ipv6.destination_high = GET32(192);
	h.ipv6.valid = 1;
	if (GET8(0) >> 4 != 6)
		goto reject;
	offset += 320;
	after = h.ipv6.next;

parse_transport:
	switch (after) {
	case IPPROTO_TCP: goto parse_tcp;
	case IPPROTO_UDP: goto parse_udp;
	default: goto accept;
	}

parse_tcp:
	NEED(160);
	h.tcp.source = GET16(0);
	h.tcp.destination = GET16(16);
	h.tcp.flags = GET8(104);
	h.tcp.valid = 1;
	goto accept;

parse_udp:
	NEED(64);
	h.udp.source = GET16(0);
	h.udp.destination = GET16(16);
	h.udp.length = GET16(32);
	h.udp.valid = 1;

accept:
	return apply(&h);

reject:
	return XDP_ABORTED;
}
