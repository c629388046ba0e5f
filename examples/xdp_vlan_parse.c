/* Passes IPv4 and IPv6 behind up to two VLAN tags and drops the rest; frames whose version field
 * contradicts their EtherType are aborted. For a port where only IP is expected.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <rxgate/xdp.h>

#define MAX_TAGS 2

struct vlan_tag {
	__be16 tci;
	__be16 inner;
};

static __always_inline int is_tag(__be16 kind)
{
	return kind == bpf_htons(ETH_P_8021Q) || kind == bpf_htons(ETH_P_8021AD);
}

SEC("xdp")
int xdp_vlan_parse(struct xdp_md *ctx)
{
	void *data_end = (void *)(long)ctx->data_end;
	struct ethhdr *eth = (void *)(long)ctx->data;
	void *next = eth + 1;
	__be16 kind;

	if (next > data_end)
		return XDP_DROP;
	kind = eth->h_proto;
#pragma unroll
	for (int i = 0; i < MAX_TAGS; i++) {
		struct vlan_tag *tag = next;

		if (!is_tag(kind))
			break;
		if ((void *)(tag + 1) > data_end)
			return XDP_DROP;
		kind = tag->inner;
		next = tag + 1;
	}
	if (kind == bpf_htons(ETH_P_IP)) {
		struct iphdr *ip = next;

		if ((void *)(ip + 1) > data_end)
			return XDP_DROP;
		return ip->version == 4 ? XDP_PASS : XDP_ABORTED;
	}
	if (kind == bpf_htons(ETH_P_IPV6)) {
		struct ipv6hdr *ip6 = next;

		if ((void *)(ip6 + 1) > data_end)
			return XDP_DROP;
		return ip6->version == 6 ? XDP_PASS : XDP_ABORTED;
	}
	return XDP_DROP;
}
