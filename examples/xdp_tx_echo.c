/* Sends UDP packets to port 7 of the station with address 02:00:00:00:00:01 back where they came
 * from, unchanged; a tester on the link counts what returns. The rest passes.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/udp.h>
#include <rxgate/xdp.h>

struct words {	/* an Ethernet address, as far as it can be compared at once */
	__u32 high;
	__u16 low;
} __attribute__((packed));

static const __u8 station[ETH_ALEN] = { 2, 0, 0, 0, 0, 1 };

static __always_inline int is_station(const __u8 *address)
{
	struct words want, have;

	__builtin_memcpy(&want, station, sizeof(want));
	__builtin_memcpy(&have, address, sizeof(have));
	return want.high == have.high && want.low == have.low;
}

static __always_inline int same(const struct in6_addr *a, const struct in6_addr *b)
{
	__u64 x[2], y[2];

	__builtin_memcpy(x, a, sizeof(x));
	__builtin_memcpy(y, b, sizeof(y));
	return !((x[0] ^ y[0]) | (x[1] ^ y[1]));
}

SEC("xdp")
int xdp_tx_echo(struct xdp_md *ctx)
{
	void *data_end = (void *)(long)ctx->data_end;
	void *data = (void *)(long)ctx->data;
	struct ethhdr *eth = data;
	struct udphdr *udp;

	if ((void *)(eth + 1) > data_end)
		return XDP_PASS;
	if (!is_station(eth->h_dest))
		return XDP_PASS;
	if (eth->h_proto == bpf_htons(ETH_P_IP)) {
		struct iphdr *ip = data + ETH_HLEN;

		if ((void *)(ip + 1) >= data_end || ip->protocol != IPPROTO_UDP)
			return XDP_PASS;
		udp = (void *)ip + ip->ihl * 4;
	} else if (eth->h_proto == bpf_htons(ETH_P_IPV6)) {
		struct ipv6hdr *ip6 = data + ETH_HLEN;

		if ((void *)(ip6 + 1) >= data_end || ip6->nexthdr != IPPROTO_UDP)
			return XDP_PASS;
		/* To itself it is no echo. */
		if (same(&ip6->saddr, &ip6->daddr))
			return XDP_DROP;
		udp = (void *)(ip6 + 1);
	} else {
		return XDP_PASS;
	}
	if ((void *)(udp + 1) > data_end)
		return XDP_PASS;
	return udp->dest == bpf_htons(7) ? XDP_TX : XDP_PASS;
}
