/* Sends a sixteenth of the flows to an analyzer (XDP_REDIRECT) and passes the others. A flow is chosen
 * by the NIC's receive hash, so that its packets stay together; which sixteenth it is goes round every
 * 69 seconds by the NIC's clock. All of VLAN 1000 is analyzed, on a NIC that takes the tag out.
 *
 * A NIC that computes no hash gets one over the IP addresses; for others the compiler drops that code.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <rxgate/xdp.h>

#define ONE_IN 16
#define SLICE_SHIFT 36	/* 2^36 ns */
#define ANALYZED_VLAN 1000
#define VLAN_ID 0x0fff
#define ENODATA 61
#define EOPNOTSUPP 95

/* A hash that is the same for both directions of a flow, if it is an IP packet. */
static __always_inline int address_hash(void *data, void *data_end, __u32 *hash)
{
	struct ethhdr *eth = data;
	struct ipv6hdr *ip6 = (void *)(eth + 1);
	struct iphdr *ip = (void *)(eth + 1);
	__u32 mixed = 0;
	int i;

	if ((void *)(eth + 1) > data_end)
		return -ENODATA;
	if (eth->h_proto == bpf_htons(ETH_P_IP) && (void *)(ip + 1) <= data_end)
		mixed = ip->saddr ^ ip->daddr;
	else if (eth->h_proto == bpf_htons(ETH_P_IPV6) && (void *)(ip6 + 1) <= data_end)
		for (i = 0; i < 4; i++)
			mixed ^= ip6->saddr.s6_addr32[i] ^ ip6->daddr.s6_addr32[i];
	else
		return -ENODATA;
	mixed ^= mixed >> 16;
	*hash = mixed ^ mixed >> 8;
	return 0;
}

SEC("xdp")
int xdp_hash_sampler(struct xdp_md *ctx)
{
	void *data_end = (void *)(long)ctx->data_end;
	void *data = (void *)(long)ctx->data;
	enum xdp_rss_hash_type type = XDP_RSS_TYPE_NONE;
	__u32 hash = 0, slice = 0;
	__u64 time = 0;
	__be16 proto = 0;
	__u16 tci = 0;
	int missing;

	if (bpf_xdp_metadata_rx_vlan_tag(ctx, &proto, &tci) == 0 && (tci & VLAN_ID) == ANALYZED_VLAN)
		return XDP_REDIRECT;
	missing = bpf_xdp_metadata_rx_hash(ctx, &hash, &type);
	if (missing == -EOPNOTSUPP)
		missing = address_hash(data, data_end, &hash);
	if (missing)
		return XDP_PASS;	/* ARP, LLDP and the like belong to no flow */
	if (bpf_xdp_metadata_rx_timestamp(ctx, &time) == 0)
		slice = time >> SLICE_SHIFT;
	return hash % ONE_IN == slice % ONE_IN ? XDP_REDIRECT : XDP_PASS;
}
