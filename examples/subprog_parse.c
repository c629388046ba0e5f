/* Passes TCP and UDP only to the ports of a web server (80, 443), and everything that is neither.
 * For web front ends; shows a function that stays a function and reads the packet on its own.
 */
#include <linux/if_ether.h>
#include <linux/in.h>
#include <rxgate/phys_dev.h>

#define FRAGMENT_OFFSET 0x1fff
#define MALFORMED 0
#define OTHER 1

/* Where the transport header begins; OTHER when it is not TCP or UDP, MALFORMED (also when the
 * packet is too short) when there is none.
 */
static __noinline __u32 transport(struct xdp_metadata *ctx)
{
	__u32 protocol, header;

	switch (load_half(ctx, 12)) {
	case ETH_P_IP:
		header = (load_byte(ctx, 14) & 0xf) * 4;
		if (header < 20)
			return MALFORMED;
		if (load_half(ctx, 20) & FRAGMENT_OFFSET)
			return OTHER;
		protocol = load_byte(ctx, 23);
		header += 14;
		break;
	case ETH_P_IPV6:
		protocol = load_byte(ctx, 20);
		header = 14 + 40;
		break;
	default:
		return OTHER;
	}
	return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP ? header : OTHER;
}

SEC("phys_dev")
int subprog_parse(struct xdp_metadata *ctx)
{
	__u32 at = transport(ctx), port;

	if (at == MALFORMED)
		return BPF_PHYS_DEV_DROP;
	if (at == OTHER)
		return BPF_PHYS_DEV_OK;
	port = load_half(ctx, at + 2);
	return port == 80 || port == 443;
}
