/* Drops frames that are longer than an MTU of 1500 allows, and IP packets whose length field says
 * more than came, or less than a header; packets too short to tell are aborted.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <rxgate/xdp.h>

#define MAX_FRAME (ETH_HLEN + 1500)

SEC("xdp")
int xdp_packet_length(struct xdp_md *ctx)
{
	void *data_end = (void *)(long)ctx->data_end;
	void *data = (void *)(long)ctx->data;
	struct ethhdr *eth = data;
	__u32 length = data_end - data, claimed;

	if (length > MAX_FRAME)
		return XDP_DROP;
	if ((void *)(eth + 1) > data_end)
		return XDP_ABORTED;
	if (eth->h_proto == bpf_htons(ETH_P_IP)) {
		struct iphdr *ip = (void *)(eth + 1);

		if ((void *)(ip + 1) > data_end)
			return XDP_ABORTED;
		claimed = bpf_ntohs(ip->tot_len);
		if (claimed < ip->ihl * 4)
			return XDP_DROP;
	} else if (eth->h_proto == bpf_htons(ETH_P_IPV6)) {
		struct ipv6hdr *ip6 = (void *)(eth + 1);

		if ((void *)(ip6 + 1) > data_end)
			return XDP_ABORTED;
		claimed = sizeof(*ip6) + bpf_ntohs(ip6->payload_len);
	} else {
		return XDP_PASS;
	}
	return ETH_HLEN + claimed <= bpf_xdp_get_buff_len(ctx) ? XDP_PASS : XDP_DROP;
}
