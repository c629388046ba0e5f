/* Drops TCP segments with flags that no honest stack sends: SYN with FIN or RST, none at all, FIN
 * without ACK, and the "Christmas tree". For anything exposed to port scans and flag floods.
 */
#include <linux/if_ether.h>
#include <linux/in.h>
#include <rxgate/phys_dev.h>

#define FRAGMENT_OFFSET 0x1fff

enum { FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16, URG = 32 };

static __always_inline int honest(__u32 flags)
{
	if ((flags & (FIN | SYN | RST | PSH | ACK | URG)) == 0)
		return 0;
	if ((flags & SYN) && (flags & (FIN | RST)))
		return 0;
	if ((flags & (FIN | PSH | URG)) == (FIN | PSH | URG))
		return 0;
	return !(flags & FIN) || (flags & ACK);
}

SEC("phys_dev")
int tcp_flags(struct xdp_metadata *ctx)
{
	__u32 header;

	switch (load_half(ctx, 12)) {
	case ETH_P_IP:
		if (load_byte(ctx, 23) != IPPROTO_TCP || (load_half(ctx, 20) & FRAGMENT_OFFSET))
			return BPF_PHYS_DEV_OK;
		header = (load_byte(ctx, 14) & 0xf) * 4;
		if (header < 20)
			return BPF_PHYS_DEV_DROP;
		return honest(load_byte(ctx, 14 + header + 13));
	case ETH_P_IPV6:
		if (load_byte(ctx, 20) != IPPROTO_TCP)
			return BPF_PHYS_DEV_OK;
		return honest(load_byte(ctx, 14 + 40 + 13));
	default:
		return BPF_PHYS_DEV_OK;
	}
}
