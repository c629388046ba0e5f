/* Passes ARP, and IPv4 and IPv6 packets whose protocol is on a list, with or without one VLAN tag.
 * For servers that speak only TCP, UDP and ICMP, to keep everything else off the host.
 */
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <rxgate/phys_dev.h>

/* One bit per protocol number. */
static const __u32 allowed[8] = {
	[IPPROTO_ICMP / 32] = 1u << IPPROTO_ICMP | 1u << IPPROTO_TCP | 1u << IPPROTO_UDP,
	[IPPROTO_ICMPV6 / 32] = 1u << IPPROTO_ICMPV6 % 32,
};

SEC("phys_dev")
int ip_protocol(struct xdp_metadata *ctx)
{
	__u32 type = load_half(ctx, 12);
	__u32 network = 14;
	__u32 protocol;

	if (type == ETH_P_8021Q) {
		type = load_half(ctx, 16);
		network = 18;
	}
	switch (type) {
	case ETH_P_ARP:
		return BPF_PHYS_DEV_OK;
	case ETH_P_IP:
		protocol = load_byte(ctx, network + 9);
		break;
	case ETH_P_IPV6:
		protocol = load_byte(ctx, network + 6);
		break;
	default:
		return BPF_PHYS_DEV_DROP;
	}
	return allowed[protocol / 32] >> protocol % 32 & 1;
}
