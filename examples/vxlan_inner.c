/* Looks inside VXLAN: drops tenants' packets to the link-local range, where the cloud's metadata
 * service lives, and protocols other than TCP, UDP and ICMP. For the tunnel endpoints of a cloud.
 */
#include <linux/if_ether.h>
#include <linux/in.h>
#include <rxgate/phys_dev.h>

#define VXLAN_PORT 4789
#define VNI_PRESENT 0x08

enum {
	IP = 14,
	UDP = IP + 20,
	VXLAN = UDP + 8,
	INNER_ETHERNET = VXLAN + 8,
	INNER_IP = INNER_ETHERNET + 14,
};

SEC("phys_dev")
int vxlan_inner(struct xdp_metadata *ctx)
{
	if (load_half(ctx, 12) != ETH_P_IP || load_byte(ctx, IP + 9) != IPPROTO_UDP)
		return BPF_PHYS_DEV_OK;
	if (load_byte(ctx, IP) != 0x45 || (load_half(ctx, IP + 6) & 0x3fff))
		return BPF_PHYS_DEV_DROP;	/* endpoints send no options and no fragments */
	if (load_half(ctx, UDP + 2) != VXLAN_PORT)
		return BPF_PHYS_DEV_OK;
	if (!(load_byte(ctx, VXLAN) & VNI_PRESENT))
		return BPF_PHYS_DEV_DROP;

	switch (load_half(ctx, INNER_ETHERNET + 12)) {
	case ETH_P_ARP:
	case ETH_P_IPV6:
		return BPF_PHYS_DEV_OK;
	case ETH_P_IP:
		break;
	default:
		return BPF_PHYS_DEV_DROP;
	}
	switch (load_byte(ctx, INNER_IP + 9)) {
	case IPPROTO_ICMP:
	case IPPROTO_TCP:
	case IPPROTO_UDP:
		return load_half(ctx, INNER_IP + 16) != 0xa9fe;	/* 169.254.0.0/16 */
	default:
		return BPF_PHYS_DEV_DROP;
	}
}
