/* Drops IPv4 packets whose source address cannot come from the Internet: private, reserved, loopback,
 * multicast and the like. For border routers; RFC 6890 lists the networks.
 */
#include <linux/if_ether.h>
#include <rxgate/phys_dev.h>

#define IP(a, b, c, d) ((__u32)(a) << 24 | (b) << 16 | (c) << 8 | (d))

struct network {
	__u32 address, mask;
};

/* Volatile keeps it a table in the object file, where a deployment can change it. */
static const volatile struct network bogons[] = {
	{ IP(0, 0, 0, 0), IP(255, 0, 0, 0) },
	{ IP(10, 0, 0, 0), IP(255, 0, 0, 0) },
	{ IP(100, 64, 0, 0), IP(255, 192, 0, 0) },
	{ IP(127, 0, 0, 0), IP(255, 0, 0, 0) },
	{ IP(169, 254, 0, 0), IP(255, 255, 0, 0) },
	{ IP(172, 16, 0, 0), IP(255, 240, 0, 0) },
	{ IP(192, 0, 0, 0), IP(255, 255, 255, 0) },
	{ IP(192, 0, 2, 0), IP(255, 255, 255, 0) },
	{ IP(192, 168, 0, 0), IP(255, 255, 0, 0) },
	{ IP(198, 18, 0, 0), IP(255, 254, 0, 0) },
	{ IP(198, 51, 100, 0), IP(255, 255, 255, 0) },
	{ IP(203, 0, 113, 0), IP(255, 255, 255, 0) },
	{ IP(224, 0, 0, 0), IP(224, 0, 0, 0) },
};

SEC("phys_dev")
int bogon(struct xdp_metadata *ctx)
{
	__u32 source;

	if (load_half(ctx, 12) != ETH_P_IP)
		return BPF_PHYS_DEV_OK;
	source = load_word(ctx, 26);
#pragma unroll
	for (int i = 0; i < sizeof(bogons) / sizeof(bogons[0]); i++)
		if ((source & bogons[i].mask) == bogons[i].address)
			return BPF_PHYS_DEV_DROP;
	return BPF_PHYS_DEV_OK;
}
