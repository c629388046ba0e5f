/* Drops TCP and UDP packets to ports that nobody outside should reach (telnet, SMB, memcached and
 * the like), over IPv4 with any header length and over IPv6. For the uplink of a server network.
 */
#include <linux/if_ether.h>
#include <linux/in.h>
#include <rxgate/phys_dev.h>

#define FRAGMENT_OFFSET 0x1fff

static __always_inline int verdict(__u32 protocol, __u32 port)
{
	if (protocol != IPPROTO_TCP && protocol != IPPROTO_UDP)
		return BPF_PHYS_DEV_OK;
	switch (port) {
	case 23:	/* telnet */
	case 111:	/* portmapper */
	case 135:	/* Windows RPC */
	case 137 ... 139:	/* NetBIOS */
	case 445:	/* SMB */
	case 1900:	/* SSDP */
	case 2049:	/* NFS */
	case 3389:	/* remote desktop */
	case 6379:	/* Redis */
	case 11211:	/* memcached */
		return BPF_PHYS_DEV_DROP;
	default:
		return BPF_PHYS_DEV_OK;
	}
}

SEC("phys_dev")
int port_block(struct xdp_metadata *ctx)
{
	__u32 header, protocol;

	switch (load_half(ctx, 12)) {
	case ETH_P_IP:
		header = (load_byte(ctx, 14) & 0xf) * 4;
		protocol = load_byte(ctx, 23);
		if (header < 20)
			return BPF_PHYS_DEV_DROP;
		if (load_half(ctx, 20) & FRAGMENT_OFFSET)
			return BPF_PHYS_DEV_OK;	/* a later fragment has no ports */
		if (protocol != IPPROTO_TCP && protocol != IPPROTO_UDP)
			return BPF_PHYS_DEV_OK;
		return verdict(protocol, load_half(ctx, 14 + header + 2));
	case ETH_P_IPV6:
		protocol = load_byte(ctx, 20);
		if (protocol != IPPROTO_TCP && protocol != IPPROTO_UDP)
			return BPF_PHYS_DEV_OK;
		return verdict(protocol, load_half(ctx, 14 + 40 + 2));
	default:
		return BPF_PHYS_DEV_OK;
	}
}
