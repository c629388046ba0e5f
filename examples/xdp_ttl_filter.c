/* Drops IP packets at the end of their way (TTL or hop limit below 2), and BGP from anyone but a
 * neighbour on the link, whose packets still have 255 (RFC 5082).
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <rxgate/xdp.h>

#define BGP_PORT bpf_htons(179)
#define MIN_TTL 2

static __always_inline int is_bgp(struct tcphdr *tcp)
{
	return tcp->source == BGP_PORT || tcp->dest == BGP_PORT;
}

SEC("xdp")
int xdp_ttl_filter(struct xdp_md *ctx)
{
	void *data_end = (void *)(long)ctx->data_end;
	void *data = (void *)(long)ctx->data;
	struct ethhdr *eth = data;
	struct ipv6hdr *ip6 = data + ETH_HLEN;
	struct iphdr *ip = data + ETH_HLEN;
	struct tcphdr *tcp;
	__u8 ttl;

	if (data + ETH_HLEN > data_end)
		return XDP_DROP;
	if (eth->h_proto == bpf_htons(ETH_P_IP)) {
		if (data_end < (void *)(ip + 1))
			return XDP_DROP;
		ttl = ip->ttl;
		tcp = ip->protocol == IPPROTO_TCP ? (void *)ip + ip->ihl * 4 : 0;
	} else if (eth->h_proto == bpf_htons(ETH_P_IPV6)) {
		if (data_end < (void *)(ip6 + 1))
			return XDP_DROP;
		ttl = ip6->hop_limit;
		tcp = ip6->nexthdr == IPPROTO_TCP ? (void *)(ip6 + 1) : 0;
	} else {
		return XDP_PASS;
	}
	if (ttl < MIN_TTL)
		return XDP_DROP;
	if (tcp && (void *)(tcp + 1) <= data_end && is_bgp(tcp) && ttl != 255)
		return XDP_DROP;
	return XDP_PASS;
}
