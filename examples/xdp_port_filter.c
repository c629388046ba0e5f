/* Drops TCP and UDP packets to ports that nobody outside should reach, behind IPv4 headers of any
 * length and over IPv6. What is cut inside its headers is dropped too.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <rxgate/xdp.h>

#define FRAGMENT_OFFSET 0x1fff

struct ports {
	__be16 source;
	__be16 dest;
};

static __always_inline int by_port(struct ports *ports, void *data_end)
{
	if ((void *)(ports + 1) > data_end)
		return XDP_DROP;
	switch (bpf_ntohs(ports->dest)) {
	case 19:	/* chargen */
	case 23:	/* telnet */
	case 111:	/* portmapper */
	case 135 ... 139:	/* Windows */
	case 161:	/* SNMP */
	case 389:	/* LDAP */
	case 445:	/* SMB */
	case 1900:	/* SSDP */
	case 11211:	/* memcached */
		return XDP_DROP;
	default:
		return XDP_PASS;
	}
}

SEC("xdp")
int xdp_port_filter(struct xdp_md *ctx)
{
	void *data_end = (void *)(long)ctx->data_end;
	void *data = (void *)(long)ctx->data;
	struct ethhdr *eth = data;
	struct ipv6hdr *ip6;
	struct iphdr *ip;

	if ((void *)(eth + 1) > data_end)
		return XDP_DROP;
	switch (eth->h_proto) {
	case bpf_htons(ETH_P_IP):
		ip = (void *)(eth + 1);
		if ((void *)(ip + 1) > data_end || ip->ihl < 5)
			return XDP_DROP;
		if (ip->frag_off & bpf_htons(FRAGMENT_OFFSET))
			return XDP_PASS;	/* a later fragment has no ports */
		if (ip->protocol != IPPROTO_TCP && ip->protocol != IPPROTO_UDP)
			return XDP_PASS;
		return by_port((void *)ip + ip->ihl * 4, data_end);
	case bpf_htons(ETH_P_IPV6):
		ip6 = (void *)(eth + 1);
		if ((void *)(ip6 + 1) > data_end)
			return XDP_DROP;
		if (ip6->nexthdr != IPPROTO_TCP && ip6->nexthdr != IPPROTO_UDP)
			return XDP_PASS;
		return by_port((void *)(ip6 + 1), data_end);
	default:
		return XDP_PASS;
	}
}
