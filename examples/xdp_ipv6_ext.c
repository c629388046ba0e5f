/* Walks up to four IPv6 extension headers, behind up to two VLAN tags, and drops source-routed packets
 * (routing header type 0, RFC 5095), fragments without a transport header, and chains that do not end.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/ipv6.h>
#include <rxgate/xdp.h>

#define MAX_TAGS 2
#define MAX_HEADERS 4
#define MAX_UNITS 3	/* of 8 bytes, in one header */

struct cursor {
	void *at;
	void *end;
};

/* The number of the header after this one, or -1. Moves the cursor, which lies on the stack. */
static __noinline int skip(struct cursor *c, __u8 kind)
{
	struct ipv6_opt_hdr *header = c->at;
	__u32 size;

	if (c->at + 8 > c->end)
		return -1;
	if (kind == IPPROTO_FRAGMENT) {
		__be16 place = *(__be16 *)(c->at + 2);

		c->at += 8;
		return place & bpf_htons(0xfff8) ? -1 : header->nexthdr;
	}
	if (kind == IPPROTO_ROUTING && ((__u8 *)header)[2] == 0)
		return -1;
	size = header->hdrlen;
	if (size >= MAX_UNITS)
		return -1;
	c->at += (size + 1) * 8;
	return header->nexthdr;
}

SEC("xdp")
int xdp_ipv6_ext(struct xdp_md *ctx)
{
	struct cursor c = { (void *)(long)ctx->data, (void *)(long)ctx->data_end };
	struct ethhdr *eth = c.at;
	struct ipv6hdr *ip6;
	__be16 kind;
	int next;

	c.at = eth + 1;
	if (c.at > c.end)
		return XDP_DROP;
	kind = eth->h_proto;
	for (int i = 0; i < MAX_TAGS; i++) {
		if (kind != bpf_htons(ETH_P_8021Q) && kind != bpf_htons(ETH_P_8021AD))
			break;
		if (c.at + 4 > c.end)
			return XDP_DROP;
		kind = *(__be16 *)(c.at + 2);
		c.at += 4;
	}
	if (kind != bpf_htons(ETH_P_IPV6))
		return XDP_PASS;
	ip6 = c.at;
	if ((void *)(ip6 + 1) > c.end)
		return XDP_DROP;
	next = ip6->nexthdr;
	c.at = ip6 + 1;
#pragma unroll
	for (int i = 0; i < MAX_HEADERS; i++) {
		switch (next) {
		case IPPROTO_HOPOPTS:
		case IPPROTO_DSTOPTS:
		case IPPROTO_ROUTING:
		case IPPROTO_FRAGMENT:
			next = skip(&c, next);
			break;
		case -1:
			return XDP_DROP;
		default:
			return XDP_PASS;
		}
	}
	return XDP_DROP;
}
