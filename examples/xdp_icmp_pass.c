/* Passes ARP, ICMP and ICMPv6 and drops everything else: a machine that only answers pings. Parses
 * in functions of its own, which get the packet's ends.
 */
#include <linux/bpf.h>
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <rxgate/xdp.h>

static __noinline int parse_ipv4(struct iphdr *ip, void *data_end)
{
	if ((void *)(ip + 1) > data_end)
		return XDP_DROP;
	if (ip->protocol != IPPROTO_ICMP || ip->ihl < 5)
		return XDP_DROP;
	if ((void *)ip + ip->ihl * 4 + sizeof(struct icmphdr) > data_end)
		return XDP_DROP;
	return XDP_PASS;
}

static __noinline int parse_ipv6(struct ipv6hdr *ip6, void *data_end)
{
	struct icmp6hdr *icmp = (void *)(ip6 + 1);

	if ((void *)(icmp + 1) > data_end)
		return XDP_DROP;
	return ip6->nexthdr == IPPROTO_ICMPV6 ? XDP_PASS : XDP_DROP;
}

SEC("xdp")
int xdp_icmp_pass(struct xdp_md *ctx)
{
	void *data_end = (void *)(long)ctx->data_end;
	void *data = (void *)(long)ctx->data;
	struct ethhdr *eth = data;

	if (data + sizeof(*eth) > data_end)
		return XDP_DROP;
	switch (bpf_ntohs(eth->h_proto)) {
	case ETH_P_ARP:
		return XDP_PASS;
	case ETH_P_IP:
		return parse_ipv4(data + sizeof(*eth), data_end);
	case ETH_P_IPV6:
		return parse_ipv6(data + sizeof(*eth), data_end);
	default:
		return XDP_DROP;
	}
}
