/* Drops IPv4 fragments that attacks use, later ones that overlap the transport header and first ones
 * too short for it, and IPv6 fragments behind up to two other extension headers.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <rxgate/xdp.h>

#define MORE_FRAGMENTS 0x2000
#define FRAGMENT_OFFSET 0x1fff
#define MIN_FIRST 28	/* bytes of IP payload: the TCP header up to its flags, with room for options */

struct extension {
	__u8 next;
	__u8 size;	/* units of 8 bytes behind the first 8 */
	__u8 rest[6];
};

static __always_inline int ipv4(struct iphdr *ip, void *data_end)
{
	__u16 where, offset, payload;

	if ((void *)(ip + 1) > data_end)
		return XDP_DROP;
	where = bpf_ntohs(ip->frag_off);
	offset = where & FRAGMENT_OFFSET;
	payload = bpf_ntohs(ip->tot_len) - ip->ihl * 4;
	if (offset == 1)
		return XDP_DROP;
	if (offset == 0 && (where & MORE_FRAGMENTS) && payload < MIN_FIRST)
		return XDP_DROP;
	return XDP_PASS;
}

static __always_inline int ipv6(struct ipv6hdr *ip6, void *data_end)
{
	struct extension *ext = (void *)(ip6 + 1);
	__u8 next;

	if ((void *)(ip6 + 1) > data_end)
		return XDP_DROP;
	next = ip6->nexthdr;
#pragma unroll
	for (int i = 0; i < 3; i++) {
		if (next == IPPROTO_FRAGMENT)
			return XDP_DROP;
		if (next != IPPROTO_HOPOPTS && next != IPPROTO_DSTOPTS && next != IPPROTO_ROUTING)
			return XDP_PASS;
		if ((void *)(ext + 1) > data_end || ext->size > 3)
			return XDP_DROP;
		next = ext->next;
		ext = (void *)ext + (ext->size + 1) * 8;
	}
	return XDP_DROP;	/* more extension headers than anybody sends */
}

SEC("xdp")
int xdp_fragment_filter(struct xdp_md *ctx)
{
	void *data_end = (void *)(long)ctx->data_end;
	struct ethhdr *eth = (void *)(long)ctx->data;

	if ((void *)(eth + 1) > data_end)
		return XDP_DROP;
	if (eth->h_proto == bpf_htons(ETH_P_IP))
		return ipv4((void *)(eth + 1), data_end);
	if (eth->h_proto == bpf_htons(ETH_P_IPV6))
		return ipv6((void *)(eth + 1), data_end);
	return XDP_PASS;
}
