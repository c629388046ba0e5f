/* Drops IPv4 packets from one network, and TCP and UDP packets to the ports on a list. Both are
 * configuration: a loader sets them before it loads the program, rxgate with `--set`, and with
 * `--tunable network --tunable ports` the host changes them while packets come in.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <rxgate/xdp.h>

#define FRAGMENT_OFFSET 0x1fff
#define PORTS 8

/* Address and mask belong together: whoever changes them wants no packet to see one without the other. */
const volatile struct {
	__u32 address, mask;
} network = { 0xc6336400, 0xffffff00 };	/* 198.51.100.0/24 */

const volatile __u16 ports[PORTS] = { 23, 111, 161, 445, 1900, 11211 };	/* 0: none */

SEC("xdp")
int xdp_block_list(struct xdp_md *ctx)
{
	void *data_end = (void *)(long)ctx->data_end;
	void *data = (void *)(long)ctx->data;
	struct ethhdr *eth = data;
	struct iphdr *ip = data + ETH_HLEN;
	__be16 *to;
	__u16 port;

	if ((void *)(ip + 1) > data_end || eth->h_proto != bpf_htons(ETH_P_IP))
		return XDP_PASS;
	if ((bpf_ntohl(ip->saddr) & network.mask) == network.address)
		return XDP_DROP;
	if (ip->frag_off & bpf_htons(FRAGMENT_OFFSET))
		return XDP_PASS;	/* a later fragment has no ports */
	if (ip->protocol != IPPROTO_TCP && ip->protocol != IPPROTO_UDP)
		return XDP_PASS;
	to = (void *)ip + ip->ihl * 4 + 2;
	if ((void *)(to + 1) > data_end)
		return XDP_DROP;
	port = bpf_ntohs(*to);
#pragma unroll
	for (int i = 0; i < PORTS; i++)
		if (ports[i] && ports[i] == port)
			return XDP_DROP;
	return XDP_PASS;
}
